// SPDX-License-Identifier: GPL-2.0-only
/*
 * ruleset_check(): rules that contradict each other, rules that can never match, and too many
 * overlapping rules. ruleset_check_change(): what a change of the rules brings.
 */
#include "unit.h"

#include <errno.h>

#include "checked.h"
#include "compile/compile.h"
#include "compile/check.h"
#include "compile/image.h"
#include "random.h"
#include "slow.h"

#define CLASH(line, action, term, other, text, other_action)                                   \
	"F:" line ":1: found \"" action "\" for " term ", but line " other " (\"" text         \
	"\") is as specific and says \"" other_action "\"\n"
#define NEVER(line, text)                                                                      \
	"F:" line ":1: warning: found \"" text "\", which can never match: other "             \
	"rules decide about all its packets\n"

static const struct {
	const char *text;
	const char *messages;
} clashes[] = {
	{ "allow 22\ndrop 22", CLASH("2", "drop", "22", "1", "allow 22", "allow") },
	{ "drop 9/udp\nallow 9/udp comment \"c\"",
	  CLASH("2", "allow", "9/udp", "1", "drop 9/udp", "drop") },
	{ "allow 22 on eth0\n\ndrop 22 on eth0",
	  CLASH("3", "drop", "22", "1", "allow 22 on eth0", "allow") },
	{ "allow gre\ndrop gre", CLASH("2", "drop", "47/ip", "1", "allow 47/ip", "allow") },
	/* ranges of equal width that share one port */
	{ "allow 10-19\ndrop 19-28", CLASH("2", "drop", "19-28", "1", "allow 10-19", "allow") },
	{ "allow 0-65535\ndrop 0-65535",
	  CLASH("2", "drop", "0-65535", "1", "allow 0-65535", "allow") },
	/* still a contradiction where narrower rules decide about all the ports */
	{ "allow 1-2\ndrop 1-2\nallow 1 2",
	  CLASH("2", "drop", "1-2", "1", "allow 1-2", "allow") },
	/* in one of several terms; in two of them */
	{ "allow 1 2 3\ndrop 3 4 5", CLASH("2", "drop", "3", "1", "allow 1 2 3", "allow") },
	{ "allow 1 2/tcp\ndrop 2/tcp 1",
	  CLASH("2", "drop", "2/tcp", "1", "allow 1 2/tcp", "allow")
		  CLASH("2", "drop", "1", "1", "allow 1 2/tcp", "allow") },
	/* rules that are not adjacent; two contradictions */
	{ "allow 5\nallow 22\nallow 6\ndrop 22",
	  CLASH("4", "drop", "22", "2", "allow 22", "allow") },
	{ "allow 22\ndrop 22\nallow 23\ndrop 23",
	  CLASH("2", "drop", "22", "1", "allow 22", "allow")
		  CLASH("4", "drop", "23", "3", "allow 23", "allow") },
	/* no contradiction: one rule is more specific */
	{ "allow 22/tcp\ndrop 22", "" },
	{ "allow 22/tcp\ndrop 22/udp", "" },
	{ "allow 22 on eth0\ndrop 22", "" },
	{ "allow 22 on eth0\ndrop 22 on eth1", "" },
	{ "allow gre\ndrop esp 47", "" },
	{ "allow 10-19\ndrop 20-29", "" },
	{ "allow 10-19\ndrop 19-29", "" },
	{ "allow 10-19/tcp\ndrop 19-28/udp", "" },
	/* no contradiction: the rules agree */
	{ "allow 10-19\nallow 15-24", "" },
};

static void test_contradictions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(clashes); i++) {
		struct parsed parsed;
		int err;

		parsed_valid(&parsed, clashes[i].text);
		err = check(&parsed, 0);
		assert_string_equal(parsed.messages, clashes[i].messages);
		assert_int_equal(err, *clashes[i].messages ? -EINVAL : 0);
		assert_int_equal(!!parsed.report.errors, !!*clashes[i].messages);
		parsed_clear(&parsed);
	}
}

/* The message quotes the ports of the line it names, also if the other range begins lower. */
static void test_contradiction_quotes_the_line_it_names(void **state)
{
	struct parsed parsed;

	(void)state;
	parsed_valid(&parsed, "allow 50-149\ndrop 1-100");
	assert_int_equal(check(&parsed, 0), -EINVAL);
	assert_string_equal(parsed.messages,
			    CLASH("2", "drop", "1-100", "1", "allow 50-149", "allow"));
	parsed_clear(&parsed);
}

static const struct {
	const char *text;
	const char *messages;
} warnings[] = {
	{ "", "" },
	{ "allow 22\ndrop 23", "" },
	{ "allow 22\nallow 22", NEVER("2", "allow 22") },
	{ "allow 22 comment \"a\"\nallow 22 comment \"b\"", NEVER("2", "allow 22") },
	{ "drop 22\nallow 22/tcp\nallow 22/udp", NEVER("1", "drop 22") },
	{ "drop 22 on eth0\nallow 22/tcp\nallow 22/udp", NEVER("1", "drop 22 on eth0") },
	{ "drop 22 on eth0\nallow 22/tcp on eth1\nallow 22/udp", "" },
	{ "drop 10-12\nallow 10 12\nallow 11", NEVER("1", "drop 10-12") },
	{ "drop 10-12\nallow 10 12\nallow 11/tcp", "" },
	{ "drop 10-12 99\nallow 10 12\nallow 11", "" },
	{ "allow 10-19\nallow 20-29\nallow 15-24", "" },
	{ "allow gre\nallow gre on eth0\nallow gre", NEVER("3", "allow 47/ip") },
	/* a rule for all interfaces is needed on the interfaces that no rule names */
	{ "allow 22 on eth0\nallow 22 on eth1\nallow 22", "" },
	/* an IPv4-mapped address: no packet has such a source */
	{ "allow 22\ndrop from ::ffff:203.0.113.7",
	  "F:2:1: warning: found \"::ffff:203.0.113.7\", but IPv4 packets do not have such "
	  "a source: expected 203.0.113.7\n" },
	{ "drop 22 from ::fffe:0:0/95, ::ffff:203.0.113.0/120",
	  "F:1:1: warning: found \"::ffff:203.0.113.0/120\", but IPv4 packets do not have "
	  "such a source: expected 203.0.113.0/24\n" },
	{ "drop 22 from ::/0, 203.0.113.7", "" },
	{ "allow 2 on b\nallow 2 on a\nallow 2 on b\nallow 2 on a",
	  NEVER("3", "allow 2 on b") NEVER("4", "allow 2 on a") },
};

static void test_rules_that_never_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(warnings); i++) {
		struct parsed parsed;

		parsed_valid(&parsed, warnings[i].text);
		assert_int_equal(check(&parsed, 0), 0);
		assert_string_equal(parsed.messages, warnings[i].messages);
		assert_int_equal(!!parsed.report.warnings, !!*warnings[i].messages);
		assert_int_equal(parsed.report.errors, 0);
		parsed_clear(&parsed);
	}
}

#define EXCESS(line, text, where)                                                              \
	"F:" line ":1: found \"" text "\", but too many rules overlap" where                   \
	": expected at most 12 port ranges, and 8 rules with \"for\" or knocks\n"

/* Many rules that differ in one number. The error names the last of those that are too many. */
static const struct {
	const char *before; /* text before the rules */
	const char *rule; /* format of one rule, with %d for its number */
	int count; /* numbers 1 to count */
	const char *after; /* text after the rules */
	const char *messages;
} crowds[] = {
	{ "default drop\nallow 441\nallow 442\n", "allow 1000-110%d for 1h\n", 8, "", "" },
	{ "default drop\nallow 441\nallow 442\n", "allow 1000-110%d for 1h\n", 9, "allow 7\n",
	  EXCESS("12", "allow 1000-1109 for 1h", " for 1000/tcp") },
	{ "allow 1-9\n", "allow 1000-11%02d/udp from 10.0.0.1\n", 12, "", "" },
	{ "allow 1-9\n", "allow 1000-11%02d/udp from 10.0.0.1\n", 13, "",
	  EXCESS("14", "allow 1000-1113/udp from 10.0.0.1", " for 1000/udp") },
	/* the last rule of the text, not the widest */
	{ "drop 500-65535\n", "allow 1000-11%02d/udp from 10.0.0.1\n", 12, "",
	  EXCESS("13", "allow 1000-1112/udp from 10.0.0.1", " for 1000/udp") },
	{ "", "allow 50/ip for %dh\n", 9, "", EXCESS("9", "allow 50/ip for 9h", " for 50/ip") },
	{ "drop 22\n", "drop from ::/%d for 1h\n", 9, "allow 23\n",
	  EXCESS("10", "drop from ::/9 for 1h", "") },
	{ "", "allow 2 on b for %dh\n", 9, "",
	  EXCESS("9", "allow 2 on b for 9h", " for 2/tcp") },
};

static void test_too_many_overlapping_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(crowds); i++) {
		cleanup_free char *text = NULL;
		struct parsed parsed;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		int err;

		fputs(crowds[i].before, out);
		for (int n = 1; n <= crowds[i].count; n++)
			fprintf(out, crowds[i].rule, n);
		fputs(crowds[i].after, out);
		fclose(out);
		parsed_valid(&parsed, text);
		err = check(&parsed, 0);
		assert_string_equal(parsed.messages, crowds[i].messages);
		assert_int_equal(err, *crowds[i].messages ? -EINVAL : 0);
		parsed_clear(&parsed);
	}
}

/* Warnings concern only the rules from `first` on; errors concern all rules. */
static void test_first_limits_warnings_not_errors(void **state)
{
	struct parsed parsed;

	(void)state;
	parsed_valid(&parsed, "allow 1\nallow 1\nallow 1");
	assert_int_equal(check(&parsed, 2), 0);
	assert_string_equal(parsed.messages, NEVER("3", "allow 1"));
	assert_int_equal(parsed.report.warnings, 1);
	parsed_clear(&parsed);

	parsed_valid(&parsed, "allow 1\ndrop 1\nallow 2");
	assert_int_equal(check(&parsed, 2), -EINVAL);
	assert_int_equal(parsed.report.errors, 1);
	parsed_clear(&parsed);
}

/* For the command line, messages name the running rules by number instead of by line. */
static void test_argv_messages_name_rules_by_number(void **state)
{
	struct parsed parsed;

	(void)state;
	parsed_valid(&parsed, "allow 1\ndrop 1");
	parsed.report.unit = "rule";
	parsed.report.file = "argv";
	assert_int_equal(check(&parsed, 0), -EINVAL);
	assert_string_equal(parsed.messages, "argv:1:1: found \"drop\" for 1, but rule 1 "
					     "(\"allow 1\") is as specific and says "
					     "\"allow\"\n");
	parsed_clear(&parsed);
}

#define DOOR(name, steps) "knock " name " opens 80/tcp for 30s after " steps " within 10s\n"
#define FOUND_SCANNED(name)                                                                    \
	"argv:1:1: found the knock \"" name                                                    \
	"\", which a scan of all ports would open: give its steps another order\n"
#define WARNING(name, rest) "argv:1:1: warning: the knock \"" name "\" " rest "\n"
#define ORDERED "7000/tcp 7100/tcp 7200/tcp"
#define GOES_ONE_WAY "goes in one direction, as scans do: give its steps another order"
#define HAS_UNHEARD(port)                                                                      \
	"has the step " port "/tcp, which a rule allows: touching it does not count"

/* From one ruleset to another: all errors of the new one, and only the new warnings. */
static const struct {
	const char *from;
	const char *to;
	const char *messages;
} changes[] = {
	{ "allow 22", "allow 22\nallow 23", "" },
	/* a setting, a removed rule or a new rule opens an older knock to scans */
	{ "default drop\n" DOOR("web", ORDERED), "default allow\n" DOOR("web", ORDERED),
	  FOUND_SCANNED("web") },
	{ "drop 7001-7199/tcp\n" DOOR("web", ORDERED), DOOR("web", ORDERED),
	  FOUND_SCANNED("web") },
	{ "default drop\n" DOOR("web", ORDERED),
	  "default drop\n" DOOR("web", ORDERED) "allow 7001-7099/tcp 7101-7199/tcp",
	  FOUND_SCANNED("web") },
	/* a new rule allows a step of a knock: a warning once, not again later */
	{ "default drop\n" DOOR("web", "9/tcp 7/tcp 8/tcp"),
	  "default drop\n" DOOR("web", "9/tcp 7/tcp 8/tcp") "allow 7/tcp",
	  WARNING("web", HAS_UNHEARD("7")) },
	{ "default drop\nallow 7/tcp\n" DOOR("web", "9/tcp 7/tcp 8/tcp"),
	  "default drop\nallow 7/tcp\nallow 5\n" DOOR("web", "9/tcp 7/tcp 8/tcp"), "" },
	/* a new rule shadows an older one: a warning; older warnings are not repeated */
	{ "drop 22\nallow 22/tcp\nallow 1\nallow 1",
	  "drop 22\nallow 22/tcp\nallow 1\nallow 1\nallow 22/udp",
	  "argv:1:1: warning: found \"drop 22\", which can never match: other rules decide "
	  "about all its packets\n" },
	{ "default drop\n" DOOR("a", ORDERED),
	  "default drop\n" DOOR("a", ORDERED) DOOR("b", "1/tcp 100/tcp 200/tcp"),
	  WARNING("b", GOES_ONE_WAY) },
	/* rules with an expiry do not protect a knock from scans, for they end */
	{ "", "drop 7001-7199/tcp for 1h\n" DOOR("web", ORDERED), FOUND_SCANNED("web") },
	{ "", "drop 7001-7199/tcp\ndrop 7050/tcp for 1h\n" DOOR("web", ORDERED),
	  WARNING("web", GOES_ONE_WAY) },
	{ "", "default drop\nallow 7001-7099/tcp 7101-7199/tcp for 1h\n" DOOR("web", ORDERED),
	  FOUND_SCANNED("web") },
	{ "allow 1", "allow 1\ndrop 1",
	  "argv:1:1: found \"drop\" for 1, but rule 1 (\"allow 1\") is as specific and says "
	  "\"allow\"\n" },
	/* an older error remains an error */
	{ DOOR("web", ORDERED), DOOR("web", ORDERED) "allow 1", FOUND_SCANNED("web") },
};

static void test_change_shows_new_warnings_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct parsed from, to;
		int err;

		parsed_valid(&from, changes[i].from);
		parsed_valid(&to, changes[i].to);
		ruleset_number(&from.ruleset, 0);
		ruleset_number(&to.ruleset, 0);
		to.report.unit = "rule";
		to.report.file = "argv";
		err = ruleset_check_change(&to.ruleset, &from.ruleset, &to.report);
		fflush(to.report.out);
		assert_string_equal(to.messages, changes[i].messages);
		assert_int_equal(err, to.report.errors ? -EINVAL : 0);
		assert_int_equal(!!to.report.errors, !strncmp(to.messages, "argv:1:1: f", 11));
		parsed_clear(&from);
		parsed_clear(&to);
	}
}

/* Like parsed_text(), with a random ruleset; each rule's row is its number. */
static void parsed_random(struct parsed *parsed, __u64 seed, size_t most, bool valid)
{
	struct random random = { seed };

	parsed_init(parsed);
	random_ruleset(&random, random_below(&random, most), &parsed->ruleset);
	if (valid)
		slow_remove_contradictions(&parsed->ruleset);
	for (size_t i = 0; i < parsed->ruleset.count; i++)
		parsed->ruleset.rules[i].row = i + 1;
}

static void fail_random(const struct parsed *parsed, __u64 seed, const char *what)
{
	char *text = printed(&parsed->ruleset);

	print_message("%s\n%s\n", text, parsed->messages);
	free(text);
	fail_msg("seed %llu: %s", seed, what);
}

/* Each message names two lines whose rules contradict each other. */
static void check_named_pairs(const struct parsed *parsed, __u64 seed)
{
	const struct rule *rules = parsed->ruleset.rules;
	const char *line = parsed->messages;

	for (unsigned int n = 0; n < parsed->report.errors; n++) {
		const char *but = strstr(line, ", but line ");
		unsigned int later = 0, earlier = 0;

		sscanf(line, "F:%u:1: found ", &later);
		if (but)
			sscanf(but, ", but line %u (", &earlier);
		if (!earlier || earlier >= later || later > parsed->ruleset.count)
			fail_random(parsed, seed, "a message without two lines");
		if (!slow_contradict(&rules[earlier - 1], &rules[later - 1]))
			fail_random(parsed, seed, "these two lines do not contradict");
		line = strchr(line, '\n') + 1;
	}
	if (*line)
		fail_random(parsed, seed, "more messages than errors");
}

static void test_random_contradictions(void **state)
{
	int with = 0, without = 0;

	(void)state;
	for (__u64 seed = 1; seed <= 4000; seed++) {
		struct parsed parsed;
		bool clash;
		int err;

		parsed_random(&parsed, seed, 10, false);
		err = check(&parsed, parsed.ruleset.count);
		clash = slow_any_contradiction(&parsed.ruleset);
		if (err != (clash ? -EINVAL : 0) || clash != !!parsed.report.errors)
			fail_random(&parsed, seed, clash ? "not found" : "there is none");
		check_named_pairs(&parsed, seed);
		parsed_clear(&parsed);
		with += clash;
		without += !clash;
	}
	/* Enough rulesets of either kind, or this test would prove little. */
	assert_in_range(with, 500, 3500);
	assert_in_range(without, 500, 3500);
}

/* What the reference evaluator finds out about each rule, by index. */
struct known {
	const struct ruleset *ruleset;
	const char *iface;
	bool among[64]; /* it is among the most specific rules for some key */
	bool alone[64]; /* it is the only most specific rule for some key */
};

static void learn(__u32 key, void *data)
{
	struct known *known = data;
	const struct rule *first;
	int best = slow_best(known->ruleset, known->iface, key, &first), equals = 0;

	if (!first)
		return;
	for (size_t i = 0; i < known->ruleset->count; i++) {
		bool is = slow_rule_rank(&known->ruleset->rules[i], known->iface, key) == best;

		equals += is;
		known->among[i] |= is;
	}
	known->alone[first - known->ruleset->rules] |= equals == 1;
}

/* Reads from the messages which rules the check warned about. */
static void find_warned(const struct parsed *parsed, bool warned[64])
{
	const char *line = parsed->messages;
	unsigned int row;

	for (unsigned int n = 0; n < parsed->report.warnings; n++) {
		assert_int_equal(sscanf(line, "F:%u:1: warning: ", &row), 1);
		assert_in_range(row, 1, parsed->ruleset.count);
		warned[row - 1] = true;
		line = strchr(line, '\n') + 1;
	}
	assert_int_equal(*line, 0);
}

/* Finds the rules that decide about no key on any interface. */
static void find_idle(const struct ruleset *ruleset, bool idle[64])
{
	static const char *const ifaces[] = { "eth0", "eth1", "unnamed" };
	cleanup_free struct image *image = malloc(sizeof(*image));
	unsigned char used[64] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(ifaces); i++) {
		memset(image, 0, sizeof(*image));
		assert_int_equal(compile(ruleset, ifaces[i], image, used), 0);
		image_clear(image);
	}
	for (size_t i = 0; i < ruleset->count; i++)
		idle[i] = !used[i];
}

static int check_random_warnings(__u64 seed)
{
	static const char *const ifaces[] = { "eth0", "eth1", "unnamed" };
	bool warned[64] = { false }, idle[64] = { false };
	struct known known = { 0 };
	struct parsed parsed;
	int count;

	parsed_random(&parsed, seed, 24, true);
	assert_int_equal(check(&parsed, 0), 0);
	known.ruleset = &parsed.ruleset;
	for (size_t i = 0; i < ARRAY_SIZE(ifaces); i++) {
		known.iface = ifaces[i];
		slow_edges(&parsed.ruleset, learn, &known);
	}
	find_warned(&parsed, warned);
	find_idle(&parsed.ruleset, idle);
	for (size_t i = 0; i < parsed.ruleset.count; i++) {
		if (warned[i] != idle[i])
			fail_random(&parsed, seed, "warned of a rule that decides, or not");
		if (warned[i] ? known.alone[i] : !known.among[i])
			fail_random(&parsed, seed, "the slow evaluator knows better");
	}
	count = parsed.report.warnings;
	parsed_clear(&parsed);
	return count;
}

static void test_random_rules_that_never_match(void **state)
{
	int count = 0;

	(void)state;
	for (__u64 seed = 1000001; seed <= 1001000; seed++)
		count += check_random_warnings(seed);
	assert_in_range(count, 100, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_contradiction_quotes_the_line_it_names),
		cmocka_unit_test(test_rules_that_never_match),
		cmocka_unit_test(test_too_many_overlapping_rules),
		cmocka_unit_test(test_first_limits_warnings_not_errors),
		cmocka_unit_test(test_argv_messages_name_rules_by_number),
		cmocka_unit_test(test_change_shows_new_warnings_only),
		cmocka_unit_test(test_random_contradictions),
		cmocka_unit_test(test_random_rules_that_never_match),
	};

	return run_suite("check", tests);
}
