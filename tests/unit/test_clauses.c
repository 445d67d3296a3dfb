// SPDX-License-Identifier: GPL-2.0-only
/* Prefixes, and the clauses from, limit and for: parsing, printing and error messages. */
#include "unit.h"

#include <errno.h>

#include "rules/prefix.h"
#include "random_sources.h"

static void print_prefix(const struct prefix *prefix, char text[64])
{
	FILE *out = fmemopen(text, 64, "w");

	assert_non_null(out);
	prefix_print(prefix, out);
	fclose(out);
}

static const struct {
	const char *text;
	const char *printed; /* NULL: as `text` */
	__u8 family;
	__u8 length;
} prefixes[] = {
	{ "192.0.2.0/24", NULL, 4, 24 },
	{ "192.0.2.1", NULL, 4, 32 },
	{ "192.0.2.1/32", "192.0.2.1", 4, 32 },
	{ "0.0.0.0/0", NULL, 4, 0 },
	{ "0.0.0.0", NULL, 4, 32 },
	{ "255.255.255.255", NULL, 4, 32 },
	{ "128.0.0.0/1", NULL, 4, 1 },
	{ "192.0.2.0/00024", "192.0.2.0/24", 4, 24 },
	{ "::/0", NULL, 6, 0 },
	{ "::", NULL, 6, 128 },
	{ "2001:db8::/32", NULL, 6, 32 },
	{ "2001:DB8:0:0:0::/32", "2001:db8::/32", 6, 32 },
	{ "2001:db8::1/128", "2001:db8::1", 6, 128 },
	{ "2001:db8::8000/113", NULL, 6, 113 },
	{ "::ffff:192.0.2.1", NULL, 6, 128 },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, 6, 128 },
	{ "fe80::/10", NULL, 6, 10 },
};

static void test_prefix_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *wanted = prefixes[i].printed ?: prefixes[i].text;
		char expected[128], text[64] = "";
		struct prefix prefix, again;

		if (prefix_parse(prefixes[i].text, &prefix, expected))
			fail_msg("%s: %s", prefixes[i].text, expected);
		print_prefix(&prefix, text);
		assert_string_equal(text, wanted);
		assert_int_equal(prefix.family, prefixes[i].family);
		assert_int_equal(prefix.length, prefixes[i].length);
		assert_int_equal(prefix_parse(text, &again, expected), 0);
		assert_memory_equal(&prefix, &again, sizeof(prefix));
	}
}

#define ADDRESS "expected an address or prefix, as in 192.0.2.0/24"
#define LENGTH4 "expected a prefix length from 0 to 32"
#define LENGTH6 "expected a prefix length from 0 to 128"
#define BITS "but host bits are set: expected "

static const struct {
	const char *text;
	const char *expected;
} wrong_prefixes[] = {
	{ "", ADDRESS },
	{ "/", ADDRESS },
	{ "/24", ADDRESS },
	{ "192.0.2", ADDRESS },
	{ "192.0.2/24", ADDRESS },
	{ "192.0.2.256", ADDRESS },
	{ "192.0.2.01x", ADDRESS },
	{ "0300.0.2.1", ADDRESS },
	{ "192.0.2.1.", ADDRESS },
	{ " 192.0.2.1", ADDRESS },
	{ "host.example", ADDRESS },
	{ "any", ADDRESS },
	{ "2001:db8", ADDRESS },
	{ "2001:db8:::1", ADDRESS },
	{ "fe80::1%eth0", ADDRESS },
	{ "[2001:db8::1]", ADDRESS },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", ADDRESS },
	{ "192.0.2.0/", LENGTH4 },
	{ "192.0.2.0/33", LENGTH4 },
	{ "192.0.2.0/-1", LENGTH4 },
	{ "192.0.2.0/+8", LENGTH4 },
	{ "192.0.2.0/24/24", LENGTH4 },
	{ "192.0.2.0/255.255.255.0", LENGTH4 },
	{ "192.0.2.0/4294967320", LENGTH4 },
	{ "2001:db8::/129", LENGTH6 },
	{ "2001:db8::/x", LENGTH6 },
	{ "192.0.2.1/24", BITS "192.0.2.0/24" },
	{ "192.0.2.1/31", BITS "192.0.2.0/31" },
	{ "192.0.2.129/0", BITS "0.0.0.0/0" },
	{ "255.255.255.255/1", BITS "128.0.0.0/1" },
	{ "2001:db8::1/127", BITS "2001:db8::/127" },
	{ "2001:db8:ffff::/33", BITS "2001:db8:8000::/33" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127",
	  BITS "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127" },
};

static void test_wrong_prefixes_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong_prefixes); i++) {
		struct prefix prefix;
		char expected[128];

		if (prefix_parse(wrong_prefixes[i].text, &prefix, expected) != -EINVAL)
			fail_msg("\"%s\" is a prefix", wrong_prefixes[i].text);
		assert_string_equal(expected, wrong_prefixes[i].expected);
	}
}

/* prefix_contains() against a bit-by-bit comparison; a prefix sorts before those within it. */
static void test_prefix_contains(void **state)
{
	(void)state;
	for (__u64 seed = 1; seed <= 20000; seed++) {
		struct random random = { seed };
		struct prefix a = random_prefix(&random), b = random_prefix(&random);
		bool within = a.family == b.family && a.length <= b.length;

		for (int bit = 0; bit < a.length && within; bit++)
			within = !((a.address[bit / 8] ^ b.address[bit / 8]) & 0x80 >> bit % 8);
		assert_int_equal(prefix_contains(&a, &b), within);
		assert_int_equal(prefix_compare(&a, &b) < 0, prefix_compare(&b, &a) > 0);
		if (within && (a.length != b.length))
			assert_true(prefix_compare(&a, &b) < 0);
		if (!prefix_compare(&a, &b))
			assert_memory_equal(&a, &b, sizeof(a));
		if (a.family < b.family)
			assert_true(prefix_compare(&a, &b) < 0);
	}
}

static const struct {
	const char *text;
	const char *printed; /* NULL: as `text` */
} forms[] = {
	{ "allow from 192.0.2.0/24", NULL },
	{ "reject 113/tcp", NULL },
	{ "reject from ::/0", NULL },
	{ "drop from ::/0,0.0.0.0/0", "drop from 0.0.0.0/0, ::/0" },
	{ "drop 1 from 10.0.0.2 , 10.0.0.1,10.0.0.2/32", "drop 1 from 10.0.0.1, 10.0.0.2" },
	{ "drop 1 from 10.0.0.0/16, 10.0.0.0/8", "drop 1 from 10.0.0.0/8, 10.0.0.0/16" },
	{ "allow 1 limit 1/s", NULL },
	{ "allow 1 limit 1000000000/h", NULL },
	{ "allow 1 limit 5/m burst 1000000000", NULL },
	{ "allow 1 limit 1/h burst 4380000", NULL },
	{ "allow 1 limit 5/m per source burst 7", "allow 1 limit 5/m burst 7 per source" },
	{ "allow 1 limit 05/m", "allow 1 limit 5/m" },
	{ "allow from 10.0.0.0/8 limit 5/s", NULL },
	{ "allow 1 for 1s", NULL },
	{ "allow 1 for 60s", "allow 1 for 1m" },
	{ "allow 1 for 61s", NULL },
	{ "allow 1 for 3600s", "allow 1 for 1h" },
	{ "allow 1 for 90m", NULL },
	{ "allow 1 for 48h", "allow 1 for 2d" },
	{ "allow 1 for 365d", NULL },
	{ "allow 1 for 1h limit 1/s on e from 10.0.0.1",
	  "allow 1 from 10.0.0.1 on e limit 1/s for 1h" },
	{ "allow 1 comment from from 10.0.0.1", "allow 1 from 10.0.0.1 comment \"from\"" },
};

static void test_rules_print_in_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct parsed parsed, again;
		cleanup_free char *text = NULL, *second = NULL;

		parsed_valid(&parsed, forms[i].text);
		text = rule_text(parsed.ruleset.rules, true);
		assert_string_equal(text, forms[i].printed ?: forms[i].text);
		parsed_valid(&again, text);
		second = rule_text(again.ruleset.rules, true);
		assert_string_equal(text, second);
		parsed_clear(&parsed);
		parsed_clear(&again);
	}
}

static void test_parsed_fields(void **state)
{
	struct parsed parsed;
	const struct rule *rule;

	(void)state;
	parsed_valid(&parsed,
		     "allow 1 from 10.0.0.0/8, ::1 limit 5/m burst 9 per source for 2h");
	rule = parsed.ruleset.rules;
	assert_int_equal(rule->source_count, 2);
	assert_int_equal(rule->sources[0].family, 4);
	assert_int_equal(rule->sources[0].length, 8);
	assert_int_equal(rule->sources[1].length, 128);
	assert_int_equal(rule->limit.count, 5);
	assert_int_equal(rule->limit.unit, 'm');
	assert_int_equal(rule->limit.burst, 9);
	assert_true(rule->limit.per_source);
	assert_int_equal(rule->seconds, 7200);
	assert_int_equal(rule->ends, 0);
	parsed_clear(&parsed);
}

#define RATE "expected a rate of at least 1, as in 100/s, 5/m or 10/h\n"
#define BURST "expected a number of packets from 1 to 1000000000\n"
#define TIME "expected a time of at most a year, as in 30s, 5m, 2h or 1d\n"
#define CLAUSE "expected a port, from, on, limit, for, comment or the end of the line\n"
#define SOURCE "expected an address or prefix\n"
#define FAMILY "but no packet of this IP protocol has such a source\n"

static const struct {
	const char *text;
	const char *message; /* without its "F:1:" */
} wrongs[] = {
	{ "allow 1 from", "13: the line ends, " SOURCE },
	{ "allow 1 from ,", "14: found \",\", " SOURCE },
	{ "allow 1 from \"10.0.0.1\"", "14: found \"10.0.0.1\", " SOURCE },
	{ "allow 1 from 10.0.0.1,", "23: the line ends, " SOURCE },
	{ "allow 1 from 10.0.0.1 10.0.0.2", "23: found \"10.0.0.2\", " CLAUSE },
	{ "allow 1 from any", "14: found \"any\", " ADDRESS "\n" },
	{ "allow 1 from 10.0.0.1/8", "14: found \"10.0.0.1/8\", " BITS "10.0.0.0/8\n" },
	{ "allow 1 from 10.0.0.1, 10.0.0.1/8",
	  "24: found \"10.0.0.1/8\", " BITS "10.0.0.0/8\n" },
	{ "allow 1 from 10.0.0.1 from 10.0.0.2",
	  "28: found \"10.0.0.2\", expected only one \"from\" in a rule\n" },
	{ "allow icmp from ::1", "17: found \"::1\", " FAMILY },
	{ "allow ipv6-icmp from 10.0.0.1", "22: found \"10.0.0.1\", " FAMILY },
	{ "allow igmp from 10.0.0.1, ::1", "17: found \"10.0.0.1\", " FAMILY },
	{ "allow 1 limit", "14: the line ends, " RATE },
	{ "allow 1 limit 5", "15: found \"5\", " RATE },
	{ "allow 1 limit 5/", "15: found \"5/\", " RATE },
	{ "allow 1 limit /s", "15: found \"/s\", " RATE },
	{ "allow 1 limit 5/d", "15: found \"5/d\", " RATE },
	{ "allow 1 limit 5/sec", "15: found \"5/sec\", " RATE },
	{ "allow 1 limit 0/s", "15: found \"0/s\", " RATE },
	{ "allow 1 limit -5/s", "15: found \"-5/s\", " RATE },
	{ "allow 1 limit 1000000001/s", "15: found \"1000000001/s\", " RATE },
	{ "allow 1 limit 5x/s", "15: found \"5x/s\", " RATE },
	{ "allow 1 limit 5/s burst", "24: the line ends, " BURST },
	{ "allow 1 limit 5/s burst 0", "25: found \"0\", " BURST },
	{ "allow 1 limit 5/s burst x", "25: found \"x\", " BURST },
	{ "allow 1 limit 5/s burst 1000000001", "25: found \"1000000001\", " BURST },
	{ "allow 1 limit 1/h burst 4380001",
	  "25: found \"4380001\", expected a number of packets from 1 to 4380000\n" },
	{ "allow 1 limit 1/m burst 1000000000",
	  "25: found \"1000000000\", expected a number of packets from 1 to 262800000\n" },
	{ "allow 1 limit 5/s burst 1 burst 1",
	  "33: found \"1\", expected only one \"burst\" in a limit\n" },
	{ "allow 1 limit 5/s per", "22: the line ends, expected \"source\"\n" },
	{ "allow 1 limit 5/s per source per source",
	  "34: found \"source\", expected only one \"per\" in a limit\n" },
	{ "allow 1 limit 5/s limit 5/s",
	  "25: found \"5/s\", expected only one \"limit\" in a rule\n" },
	{ "drop 1 limit 5/s", "14: found \"5/s\", but \"limit\" is only for allow\n" },
	{ "reject 1 limit 5/s", "16: found \"5/s\", but \"limit\" is only for allow\n" },
	{ "allow 1 per source", "9: found \"per\", expected a port, a range, or the name of a "
				"service or IP protocol\n" },
	{ "allow 1 on e burst 5", "14: found \"burst\", " CLAUSE },
	{ "allow 1 for", "12: the line ends, " TIME },
	{ "allow 1 for 0s", "13: found \"0s\", " TIME },
	{ "allow 1 for 5", "13: found \"5\", " TIME },
	{ "allow 1 for s", "13: found \"s\", " TIME },
	{ "allow 1 for 5w", "13: found \"5w\", " TIME },
	{ "allow 1 for 1.5h", "13: found \"1.5h\", " TIME },
	{ "allow 1 for 366d", "13: found \"366d\", " TIME },
	{ "allow 1 for 49710d", "13: found \"49710d\", " TIME },
	{ "allow 1 for 1h for 1h", "20: found \"1h\", expected only one \"for\" in a rule\n" },
	{ "allow for 1h", "7: found \"for\", expected a port, a range, or the name of a "
			  "service or IP protocol\n" },
	{ "allow 1, from 10.0.0.1", "10: found \"from\", expected a port after the comma\n" },
};

static void test_error_messages(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct parsed parsed;
		char message[256];

		snprintf(message, sizeof(message), "F:1:%s", wrongs[i].message);
		parsed_text(&parsed, wrongs[i].text);
		if (parsed.err != -EINVAL || strcmp(parsed.messages, message)) {
			print_message("%s\n%sand not\n%s", wrongs[i].text, parsed.messages,
				      message);
			wrong++;
		}
		assert_int_equal(parsed.ruleset.count, 0);
		parsed_clear(&parsed);
	}
	assert_int_equal(wrong, 0);
}

/* rule_same_match(): whether two rules name the same ports, sources and interface. */
static const struct {
	const char *a;
	const char *b;
	bool same;
} matches[] = {
	{ "allow 1 from 10.0.0.0/8", "drop 1 from 10.0.0.0/8", true },
	{ "allow 1 from 10.0.0.0/8", "drop 1 from 10.0.0.0/9", false },
	{ "allow 1 from 10.0.0.0/8", "drop 1", false },
	{ "allow from 10.0.0.0/8", "drop from 10.0.0.0/8", true },
	{ "allow from 10.0.0.0/8", "drop 1 from 10.0.0.0/8", false },
	{ "allow 1 from 10.0.0.1, ::1", "drop 1 from ::1, 10.0.0.1", true },
	{ "allow 1 from 10.0.0.1, ::1", "drop 1 from ::1", false },
	{ "allow 1 limit 1/s for 1h", "drop 1", true },
};

static void test_same_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		struct parsed a, b;

		parsed_valid(&a, matches[i].a);
		parsed_valid(&b, matches[i].b);
		if (rule_same_match(a.ruleset.rules, b.ruleset.rules) != matches[i].same ||
		    rule_same_match(b.ruleset.rules, a.ruleset.rules) != matches[i].same)
			fail_msg("%s | %s", matches[i].a, matches[i].b);
		parsed_clear(&a);
		parsed_clear(&b);
	}
}

/* A printed random ruleset, parsed and printed again, stays the same. */
static void test_random_rules_print_the_same_twice(void **state)
{
	(void)state;
	for (__u64 seed = 1; seed <= 2000; seed++) {
		struct random random = { seed };
		cleanup_free char *first = NULL, *second = NULL;
		struct parsed parsed;
		struct ruleset ruleset;

		random_sourced_ruleset(&random, random_below(&random, 20), &ruleset);
		for (size_t i = 0; i < ruleset.count; i++) {
			struct rule *rule = &ruleset.rules[i];

			for (size_t t = 0; t < rule->term_count; t++) {
				if (!rule->terms[t].transports)
					rule->terms[t].protocol = 47;
			}
		}
		first = printed(&ruleset);
		ruleset_clear(&ruleset);
		parsed_valid(&parsed, first);
		free(first);
		first = printed(&parsed.ruleset);
		parsed_clear(&parsed);
		parsed_valid(&parsed, first);
		second = printed(&parsed.ruleset);
		assert_lines_equal(second, first);
		parsed_clear(&parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix_forms),
		cmocka_unit_test(test_wrong_prefixes_are_refused),
		cmocka_unit_test(test_prefix_contains),
		cmocka_unit_test(test_rules_print_in_one_form),
		cmocka_unit_test(test_parsed_fields),
		cmocka_unit_test(test_error_messages),
		cmocka_unit_test(test_same_match),
		cmocka_unit_test(test_random_rules_print_the_same_twice),
	};

	return run_suite("clauses", tests);
}
