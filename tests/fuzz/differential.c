// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole data path against what the RFCs and the rules say of a packet: random
 * rulesets, and for each random frames, through BPF_PROG_TEST_RUN. Compared are the
 * verdict, the line and the port counter. Nobody knocks here, nothing has gone out, and no
 * rule has a limit; echo requests are limited where the default is not allow.
 *
 * differential [FIRST_SEED [RULESETS]]
 */
#include "charged.h"
#include "frames.h"
#include "oracle.h"
#include "random_sources.h"
#include "slow_sources.h"

#define RULESETS 20
#define FRAMES 1500

static void remove_disagreeing(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (slow_disagree(&ruleset->rules[i], &ruleset->rules[j])) {
				ruleset_remove(ruleset, i--);
				break;
			}
		}
	}
}

static void make_rules(struct random *random, struct ruleset *ruleset)
{
	struct ruleset none;

	random_sourced_ruleset(random, 1 + random_below(random, 24), ruleset);
	remove_disagreeing(ruleset);
	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		rule->limit.count = 0;
		rule->line = rule->limited_line = 0;
		/* Either long over, or not for long. */
		if (rule->seconds)
			rule->ends = random_once_in(random, 2) ? 1 : ~0ull;
	}
	ruleset_init(&none);
	if (assign_lines(ruleset, &none))
		tap_bail("no lines");
}

/* From a DHCP server to a client (RFC 2131, 8415). */
static bool is_dhcp(const struct reading *reading)
{
	__u32 client = reading->source.family == 4 ? 68 : 546;

	return reading->key == PORT_KEY_UDP + client && reading->source_port == client - 1;
}

static __u32 builtin(const struct ruleset *ruleset, __u32 key, enum verdict verdict)
{
	switch (key) {
	case KEY_NOT_IP:
		return LINE_NOT_IP;
	case KEY_MALFORMED:
		return LINE_MALFORMED;
	case KEY_FRAGMENT:
		return builtin_line("fragment", verdict);
	case KEY_ERROR:
	case KEY_ERROR6:
		if (ruleset->options[OPTION_ERRORS] == VERDICT_PASS)
			return builtin_line("icmp-errors", verdict);
		break;
	case KEY_ECHO:
	case KEY_ECHO6:
		if (ruleset->options[OPTION_ECHO] == VERDICT_PASS)
			return builtin_line("echo", verdict);
		break;
	case KEY_NEIGHBOUR:
		if (ruleset->options[OPTION_NEIGHBOURS] == VERDICT_PASS)
			return builtin_line("neighbours", verdict);
		break;
	}
	return default_line(ruleset->fallback);
}

/* Whether a limit that is not ours to count may decide. */
static bool is_limited(const struct ruleset *ruleset, __u32 key)
{
	return (key == KEY_ECHO || key == KEY_ECHO6) &&
	       ruleset->options[OPTION_ECHO] == VERDICT_PASS &&
	       ruleset->fallback != VERDICT_PASS;
}

static void print_frame(const struct random_frame *frame)
{
	for (size_t at = 0; at < frame->size; at += 16)
		tap_wrong_bytes(frame->bytes + at, frame->size - at);
}

static void check(struct filter *filter, const struct ruleset *ruleset, struct random *random)
{
	static struct frame run;
	struct random_frame frame;
	unsigned int which;
	struct prefix source = random_address(random, &which);
	struct reading reading;
	struct probe probe = { "test0", 0, source, NOW };
	const struct rule *rule;
	enum verdict verdict;
	__u32 got, line;
	const struct change *port;
	struct changes changes;

	random_frame(random, &source, &frame);
	reading = read_frame(frame.bytes, frame.size);
	probe.key = reading.key;
	probe.source = reading.source;
	verdict = slow_evaluate(ruleset, probe, &rule);
	line = rule ? rule->line : builtin(ruleset, reading.key, verdict);
	if ((!rule || rule->term_count) && is_dhcp(&reading) &&
	    ruleset->options[OPTION_DHCP] == VERDICT_PASS) {
		line = LINE_DHCP;
		verdict = VERDICT_PASS;
	}
	memcpy(run.bytes, frame.bytes, frame.size);
	run.length = frame.size;
	if (filter_run(filter, &run, 1, &got))
		tap_bail("the frame cannot be run");
	filter_changes(filter, &changes);
	if (is_limited(ruleset, reading.key) && !rule)
		return;
	/* A packet that must not be answered is dropped, and charged as rejected. */
	if (got != verdict && !(verdict == VERDICT_REJECT && got == VERDICT_DROP))
		tap_wrong("key %u: verdict %u, not %u", reading.key, got, verdict);
	if (changes.line_count != 1 || changes.line.index != line ||
	    changes.line.grew.packets != 1 || changes.line.grew.bytes != frame.size)
		tap_wrong("key %u: %u lines, %u charged with %llu bytes, not %u with %zu",
			  reading.key, changes.line_count, changes.line.index,
			  changes.line.grew.bytes, line, frame.size);
	port = verdict == VERDICT_PASS ? &changes.pass : &changes.drop;
	if (changes.port_count != (reading.key < PORT_KEYS) ||
	    (changes.port_count && (port->grew.packets != 1 || port->index != reading.key)))
		tap_wrong("key %u: the port counter %u grew", reading.key, port->index);
	if (tap.out)
		print_frame(&frame);
}

static void check_ruleset(struct filter *filter, __u64 seed)
{
	cleanup_free struct image *image = calloc(1, sizeof(*image));
	struct random random = { seed };
	struct ruleset ruleset;

	make_rules(&random, &ruleset);
	if (compile(&ruleset, "test0", image, NULL)) {
		tap_end("seed %llu: more rules behind one another than a packet may ask", seed);
	} else {
		filter_image(filter, 0, image);
		for (int i = 0; i < FRAMES && !tap.out; i++)
			check(filter, &ruleset, &random);
		if (tap.out)
			ruleset_print(&ruleset, tap.out);
		tap_end("seed %llu: %d frames through %zu rules", seed, FRAMES, ruleset.count);
	}
	image_clear(image);
	ruleset_clear(&ruleset);
}

int main(int argc, char **argv)
{
	__u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	int count = argc > 2 ? atoi(argv[2]) : RULESETS;
	struct filter filter;

	if (unshare(CLONE_NEWNET)) /* no connection of this host shall be asked for */
		tap_bail("a network namespace: %s", strerror(errno));
	pin_to_first_cpu();
	filter_load(&filter, COPY_FIRST_CPU + cpu + 1);
	filter_generation(&filter, 0);
	for (int i = 0; i < count; i++)
		check_ruleset(&filter, seed + i);
	filter_close(&filter);
	return tap_done();
}
