// SPDX-License-Identifier: GPL-2.0-only
/*
 * Thousands of prefixes of every length and both families, nested in each other: the
 * longest one decides, as evaluate() says, which looks at them one by one.
 */
#include "compile/evaluate.h"
#include "filter.h"
#include "rules/prefix.h"
#include "random.h"
#include "compile/source_table.h"

#define PREFIXES 4000
#define PROBES 3000
#define PORT 22

static void cut_off(struct prefix *prefix)
{
	for (int bit = prefix->length; bit < 128; bit++)
		prefix->address[bit / 8] &= ~(0x80 >> bit % 8);
}

/* Of any length, also 0; half of them in a few networks, so that they nest. */
static struct prefix any_prefix(struct random *random)
{
	struct prefix prefix = { .family = random_once_in(random, 2) ? 4 : 6 };
	unsigned int bits = prefix.family == 4 ? 32 : 128;

	for (unsigned int i = 0; i < bits / 8; i++)
		prefix.address[i] = random_next(random);
	if (random_once_in(random, 2))
		memset(prefix.address, random_below(random, 3), bits / 16);
	prefix.length = random_below(random, bits + 1);
	cut_off(&prefix);
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

		/* The same prefix gets the same action: two would contradict each other. */
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

static void make_frame(const struct prefix *source, struct frame *frame)
{
	static const __u8 link4[] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 28
	};
	static const __u8 link6[] = { 2, 0,    0,    0,	   0, 1, 2, 0, 0, 0,  0,
				      2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 17, 64 };
	bool ipv4 = source->family == 4;
	__u8 *udp = frame->bytes + 14 + (ipv4 ? 20 : 40);

	memset(frame, 0, sizeof(*frame));
	memcpy(frame->bytes, ipv4 ? link4 : link6, ipv4 ? sizeof(link4) : sizeof(link6));
	if (ipv4)
		frame->bytes[23] = 17;
	memcpy(frame->bytes + (ipv4 ? 26 : 22), source->address, ipv4 ? 4 : 16);
	udp[3] = PORT;
	udp[5] = 8;
	frame->length = 64;
}

/* Some source, or one just within, or just beside, one of the prefixes. */
static struct prefix probe(struct random *random, const struct image *image)
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
		struct prefix source = probe(&random, &image);
		enum verdict wanted = evaluate(&image, PORT_KEY_UDP + PORT, &source, 0);
		char text[ADDRESS_TEXT];
		__u32 got;

		make_frame(&source, &frame);
		if (filter_run(filter, &frame, 1, &got))
			tap_bail("the frame cannot be run");
		if (got != wanted)
			tap_wrong("%s: verdict %u, not %u",
				  address_text(source.address, source.family, text), got,
				  wanted);
	}
	tap_end("seed %llu: %zu prefixes, %d sources", seed, image.source_count, PROBES);
	image_clear(&image);
	ruleset_clear(&ruleset);
}

/* Where sets are full the next ones are used, and found by whoever looks. */
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
		tap_wrong("%zu places are taken", taken);
	if (!going_on || going_on > count / 10 ||
	    image.table.source_sets + SOURCE_HOPS != count)
		tap_wrong("%zu of %zu sets go on", going_on, count);
	tap_end("100,000 sources in %zu sets, of which few go on", count);
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
