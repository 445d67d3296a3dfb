// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules with thousands of nested prefixes of all lengths: the longest decides, as
 * evaluate_entry() finds by comparing them one by one. And the hash table that holds the prefixes.
 */
#include "compile/evaluate.h"
#include "filter.h"
#include "rules/prefix.h"
#include "compile/compile.h"
#include "compile/image.h"
#include "compile/lines.h"
#include "rules/ruleset_parse.h"
#include "random_sources.h"
#include "compile/source_table.h"

#define PREFIXES 4000
#define PROBES 3000
#define PORT 22

/* A prefix of any length, 0 included. Half of them lie in a few networks, so that they nest. */
static struct prefix any_prefix(struct random *random)
{
	struct prefix prefix = { .family = random_once_in(random, 2) ? 4 : 6 };
	unsigned int bits = prefix.family == 4 ? 32 : 128;

	for (unsigned int i = 0; i < bits / 8; i++)
		prefix.address[i] = random_next(random);
	if (random_once_in(random, 2))
		memset(prefix.address, random_below(random, 3), bits / 16);
	prefix.length = random_below(random, bits + 1);
	set_host_bits(&prefix, prefix.length, false);
	return prefix;
}

static void make_rules(struct random *random, struct ruleset *ruleset)
{
	static const char *const actions[] = { "allow", "drop" };
	struct report report = { .out = stdout, .file = "# rules" };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct ruleset none;

	fprintf(out, "default drop\n");
	for (int i = 0; i < PREFIXES; i++) {
		struct prefix prefix = any_prefix(random);

		/* The same prefix has the same action, so that no rules contradict. */
		fprintf(out, "%s %d/udp from ", actions[prefix.length % 2], PORT);
		prefix_print(&prefix, out);
		fputc('\n', out);
	}
	fclose(out);
	ruleset_init(&none);
	ruleset_init(ruleset);
	if (ruleset_parse(ruleset, text, &report) || assign_lines(ruleset, &none))
		tap_bail("cannot use random rules");
	free(text);
}

/* A datagram from `source` to PORT. */
static void build_from(const struct prefix *source, struct frame *frame)
{
	struct layer layers[LAYERS_MAX] = { IP4(), UDP(PORT) };

	if (source->family == 6)
		layers[0] = (struct layer)IP6();
	build(frame, layers);
	memcpy(frame->bytes + ETHERNET_HEADER + (source->family == 4 ? 12 : 8), source->address,
	       source->family == 4 ? 4 : 16);
}

/* A random source, or one just within or just outside one of the prefixes. */
static struct prefix random_source(struct random *random, const struct image *image)
{
	struct prefix source = image->sources[random_below(random, image->source_count)].prefix;
	unsigned int bits = source.family == 4 ? 32 : 128, bit = random_below(random, bits);

	if (random_once_in(random, 4))
		source = any_prefix(random);
	else if (random_once_in(random, 2))
		source.address[bit / 8] ^= 0x80 >> bit % 8;
	source.length = source.family == 4 ? 32 : 128;
	return source;
}

static void test_random(struct filter *filter, __u64 seed)
{
	static struct image image;
	static struct frame frame;
	struct random random = { seed };
	struct ruleset ruleset;

	make_rules(&random, &ruleset);
	memset(&image, 0, sizeof(image));
	if (compile(&ruleset, "test0", &image, NULL))
		tap_bail("cannot compile random rules");
	filter_image(filter, 0, &image);
	for (int i = 0; i < PROBES && !tap.out; i++) {
		struct prefix source = random_source(&random, &image);
		enum verdict wanted = entry_verdict(
			evaluate_entry(&image, PORT_KEY_UDP + PORT, &source, 0, 0));
		char text[ADDRESS_TEXT];
		__u32 got;

		build_from(&source, &frame);
		if (filter_run(filter, &frame, 1, &got))
			tap_bail("the frame cannot be run");
		if (got != wanted)
			tap_wrong("%s: verdict %u, not %u",
				  address_text(source.address, source.family, text), got,
				  wanted);
	}
	tap_end("the longest of %zu prefixes decides about %d sources, seed %llu",
		image.source_count, PROBES, seed);
	image_clear(&image);
	ruleset_clear(&ruleset);
}

/* When a set of the hash table is full, entries go into the next sets. */
static void test_sets(void)
{
	static struct image image;
	struct source_set *sets;
	size_t count, going_on = 0, taken = 0;

	image.source_count = 100000;
	image.sources = calloc(image.source_count, sizeof(*image.sources));
	for (size_t i = 0; i < image.source_count; i++) {
		image.sources[i].prefix = (struct prefix){ 4, 32, { 10, i >> 16, i >> 8, i } };
		image.sources[i].entry = entry_make(VERDICT_DROP, 0, i + 1);
	}
	if (source_table_make(&image, &sets, &count))
		tap_bail("cannot make the sets");
	for (size_t i = 0; i < count; i++) {
		going_on += sets[i].goes_on;
		for (int way = 0; way < SOURCE_WAYS; way++)
			taken += sets[i].entries[way] != 0;
	}
	if (taken != image.source_count)
		tap_wrong("%zu entries are stored", taken);
	if (!going_on || going_on > count / 10 ||
	    image.table.source_sets + SOURCE_HOPS != count)
		tap_wrong("%zu of %zu sets overflow", going_on, count);
	tap_end("100,000 sources fit into %zu sets, few of which overflow", count);
	free(sets);
	image_clear(&image);
}

int main(void)
{
	struct filter filter;

	filter_load(&filter, 4);
	filter_generation(&filter, 0);
	for (__u64 seed = 1; seed <= 4; seed++)
		test_random(&filter, seed);
	test_sets();
	filter_close(&filter);
	return tap_done();
}
