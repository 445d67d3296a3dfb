// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of several rules with sources decides, in cases written by hand; how many rules may
 * overlap.
 */
#include "unit.h"

#include <errno.h>

#include "compile/evaluate.h"
#include "rules/prefix.h"
#include "compile/check.h"
#include "compile/compile.h"
#include "compile/image.h"

#define NOW 1000000000000ull
#define TCP(port) (PORT_KEY_TCP + (port))
#define UDP(port) (PORT_KEY_UDP + (port))

/* A packet on eth0, and the number of the rule that decides about it (0: none). */
static const struct {
	const char *text;
	__u32 key;
	const char *source;
	unsigned int rule;
} by_hand[] = {
	/* a prefix: its first and last address, and the other address family */
	{ "allow 22 from 192.0.2.0/24", TCP(22), "192.0.2.0", 1 },
	{ "allow 22 from 192.0.2.0/24", UDP(22), "192.0.2.255", 1 },
	{ "allow 22 from 192.0.2.0/24", TCP(22), "192.0.3.0", 0 },
	{ "allow 22 from 192.0.2.0/24", TCP(22), "192.0.1.255", 0 },
	{ "allow 22 from 32.0.0.0/8", TCP(22), "2000::1", 0 },
	{ "allow 22 from 2000::/8", TCP(22), "32.0.0.1", 0 },
	{ "allow 22 from 0.0.0.0/0", TCP(22), "255.255.255.255", 1 },
	{ "allow 22 from 0.0.0.0/0", TCP(22), "::", 0 },
	{ "allow 22 from ::/0", TCP(22), "::", 1 },
	{ "allow 22 from ::ffff:192.0.2.1", TCP(22), "192.0.2.1", 0 },
	/* the longest prefix wins, then a rule without sources */
	{ "drop 22\nallow 22 from 10.0.0.0/8\ndrop 22 from 10.1.0.0/16", TCP(22), "10.1.0.1",
	  3 },
	{ "drop 22\nallow 22 from 10.0.0.0/8\ndrop 22 from 10.1.0.0/16", TCP(22), "10.2.0.1",
	  2 },
	{ "drop 22\nallow 22 from 10.0.0.0/8\ndrop 22 from 10.1.0.0/16", TCP(22), "9.2.0.1",
	  1 },
	{ "drop 22\nallow 22 from 0.0.0.0/0", TCP(22), "1.1.1.1", 2 },
	/* if the source does not match, the next wider range decides */
	{ "drop 20-30\nallow 22 from 10.0.0.0/8", TCP(22), "11.0.0.1", 1 },
	{ "drop 20-30 from 11.0.0.0/8\nallow 22 from 10.0.0.0/8", TCP(22), "11.0.0.1", 1 },
	{ "drop 20-30 from 10.1.1.1\nallow 22 from 10.0.0.0/8", TCP(22), "10.1.1.1", 2 },
	{ "drop 20-30 from 10.1.1.1\nallow 22", TCP(22), "10.1.1.1", 2 },
	{ "drop 22 from 10.1.1.1\nallow 22/tcp from 10.0.0.0/8", TCP(22), "10.1.1.1", 2 },
	{ "drop 22 from 10.1.1.1\nallow 22/tcp from 10.0.0.0/8", UDP(22), "10.1.1.1", 1 },
	/* overlapping ranges of equal width */
	{ "allow 10-19 from 10.0.0.0/8\ndrop 15-24 from 10.1.0.0/16", TCP(17), "10.1.0.1", 2 },
	{ "allow 10-19 from 10.0.0.0/8\ndrop 15-24 from 10.1.0.0/16", TCP(17), "10.2.0.1", 1 },
	{ "drop 10-19\nallow 15-24 from 10.1.0.0/16", TCP(17), "10.1.0.1", 2 },
	{ "drop 15-24\nallow 10-19 from 10.1.0.0/16", TCP(17), "10.1.0.1", 2 },
	{ "drop 10-19\nallow 15-24 on eth0", TCP(17), "10.1.0.1", 2 },
	{ "drop 15-24\nallow 10-19 on eth0", TCP(17), "10.1.0.1", 2 },
	{ "drop 10-19/tcp\nallow 15-24/tcp on eth0", TCP(17), "10.1.0.1", 2 },
	{ "drop 10-19\nallow 15-24 on eth0 for 1h", TCP(17), "10.1.0.1", 2 },
	/* equally specific, same action: the range that begins lower, then the first rule */
	{ "allow 15-24\nallow 10-19", TCP(17), "10.0.0.1", 2 },
	{ "allow 15-24 from 10.0.0.1\nallow 10-19 from 10.0.0.1", TCP(17), "10.0.0.1", 2 },
	{ "allow 15-24 for 1h\nallow 10-19 for 1h", TCP(17), "10.0.0.1", 2 },
	{ "allow 15-24 for 1h\nallow 10-19", TCP(17), "10.0.0.1", 2 },
	{ "allow 15-24\nallow 10-19 on eth0 for 1h\nallow 10-19 on eth0", TCP(17), "10.0.0.1",
	  2 },
	{ "allow 10-19 from 10.0.0.1\nallow 10-19 from 10.0.0.1", TCP(17), "10.0.0.1", 1 },
	/* the source counts before the interface */
	{ "drop 22 from 10.0.0.0/8\nallow 22 on eth0", TCP(22), "10.0.0.1", 1 },
	{ "drop 22 from 10.0.0.0/8\nallow 22 from 10.0.0.0/8 on eth0", TCP(22), "10.0.0.1", 2 },
	{ "drop 22 from 10.0.0.1\nallow 22 from 10.0.0.0/8 on eth0", TCP(22), "10.0.0.1", 1 },
	{ "drop 22 from 10.0.0.0/8\nallow 22 from 10.0.0.0/8 on eth1", TCP(22), "10.0.0.1", 1 },
	/* rules without ports come before all others and before lifelines */
	{ "drop from 10.0.0.0/8\nallow 22 from 10.0.0.1", TCP(22), "10.0.0.1", 1 },
	{ "drop from 10.0.0.0/8\nallow from 10.0.0.1", TCP(22), "10.0.0.1", 2 },
	{ "drop from 10.0.0.0/8", KEY_ECHO, "10.0.0.1", 1 },
	{ "drop from 10.0.0.0/8", KEY_FRAGMENT, "10.0.0.1", 1 },
	{ "drop from 10.0.0.0/8", KEY_PROTOCOL + 47, "10.0.0.1", 1 },
	{ "drop from 10.0.0.0/8", KEY_PROTOCOL + 47, "11.0.0.1", 0 },
	{ "drop from fe80::/10", KEY_NEIGHBOUR, "fe80::1", 1 },
	{ "allow from 10.0.0.0/8", KEY_MALFORMED, "10.0.0.1", 0 },
	{ "drop from 0.0.0.0/0", KEY_NOT_IP, "10.0.0.1", 0 },
	{ "drop from 10.0.0.0/8 on eth1", TCP(22), "10.0.0.1", 0 },
	/* a lifeline comes before a rule for its protocol, unless it is switched off */
	{ "drop icmp", KEY_ECHO, "10.0.0.1", 0 },
	{ "option echo off\ndrop icmp", KEY_ECHO, "10.0.0.1", 1 },
	{ "option echo off\ndrop icmp from 10.0.0.1", KEY_ECHO, "10.0.0.2", 0 },
	{ "option icmp-errors off\ndrop icmp", KEY_ECHO, "10.0.0.1", 0 },
	{ "option icmp-errors off\ndrop icmp", KEY_ERROR, "10.0.0.1", 1 },
	{ "option neighbours off\ndrop ipv6-icmp", KEY_NEIGHBOUR, "fe80::1", 1 },
	/* rules for protocols, with sources */
	{ "drop gre\nallow gre from 10.0.0.0/8", KEY_PROTOCOL + 47, "10.0.0.1", 2 },
	{ "drop gre\nallow gre from 10.0.0.0/8", KEY_PROTOCOL + 47, "11.0.0.1", 1 },
	/* an expired rule does not count */
	{ "drop 22\nallow 22 from 10.0.0.1 for 1h", TCP(22), "10.0.0.1", 2 },
	{ "drop 22\nallow 22 from 10.0.0.1 for 1s", TCP(22), "10.0.0.1", 1 },
	{ "allow 22 for 1s", TCP(22), "10.0.0.1", 0 },
	{ "allow from 10.0.0.1 for 1s\ndrop from 10.0.0.0/8", TCP(22), "10.0.0.1", 2 },
	{ "drop 22 from 10.0.0.1 for 1s\nallow 22 from 10.0.0.1 for 1h on eth0", TCP(22),
	  "10.0.0.1", 2 },
	{ "allow 22 for 1s\ndrop 20-30 from 10.0.0.0/8", TCP(22), "10.0.0.1", 1 + 1 },
};

/* Gives rules their lines and expiry times: "for 1s" has expired, "for 1h" has not. */
static void set_ends(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		rule->line = LINE_FIRST_RULE + i;
		if (rule->seconds)
			rule->ends = rule->seconds == 1 ? NOW : NOW + 1;
	}
}

/*
 * Returns the number of the rule that decides about a packet, or 0; 99 if several seem to.
 * Sets one rule after the other to reject: the one that decides then changes the verdict.
 */
static unsigned int deciding_rule(struct ruleset *ruleset, __u32 key,
				  const struct prefix *source)
{
	cleanup_free struct image *image = calloc(1, sizeof(*image));
	unsigned int found = 0;

	set_ends(ruleset);
	for (size_t i = 0; i < ruleset->count; i++) {
		enum verdict action = ruleset->rules[i].action;

		ruleset->rules[i].action = VERDICT_REJECT;
		memset(image, 0, sizeof(*image));
		assert_int_equal(compile(ruleset, "eth0", image, NULL), 0);
		if (entry_verdict(evaluate_entry(image, key, source, NOW, 0)) == VERDICT_REJECT)
			found = found ? 99 : i + 1;
		image_clear(image);
		ruleset->rules[i].action = action;
	}
	return found;
}

static void test_most_specific_rule_decides(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(by_hand); i++) {
		struct prefix source;
		struct parsed parsed;
		char expected[128];
		unsigned int rule;

		parsed_valid(&parsed, by_hand[i].text);
		assert_int_equal(prefix_parse(by_hand[i].source, &source, expected), 0);
		rule = deciding_rule(&parsed.ruleset, by_hand[i].key, &source);
		if (rule != by_hand[i].rule) {
			print_message("%s\n: key %u from %s: rule %u decides, not %u\n",
				      by_hand[i].text, by_hand[i].key, by_hand[i].source, rule,
				      by_hand[i].rule);
			wrong++;
		}
		parsed_clear(&parsed);
	}
	assert_int_equal(wrong, 0);
}

/* Prints `count` rules with nested sources and an expiry: a packet may have to try them all. */
static void print_nested(FILE *out, const char *action, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s from 10.0.0.0/%zu for 1s\n", action, 32 - i);
}

/*
 * Expects that the rules are either refused, or all tried for a packet until one decides.
 * *refused says which.
 */
static void check_steps(const char *text, bool *refused)
{
	cleanup_free struct image *image = calloc(1, sizeof(*image));
	struct prefix source;
	struct parsed parsed;
	char expected[128];
	int err;

	parsed_valid(&parsed, text);
	set_ends(&parsed.ruleset);
	assert_int_equal(prefix_parse("10.0.0.0", &source, expected), 0);
	err = compile(&parsed.ruleset, "eth0", image, NULL);
	*refused = err == -E2BIG;
	if (!err &&
	    entry_verdict(evaluate_entry(image, UDP(68), &source, NOW, 0)) != VERDICT_DROP)
		fail_msg("no verdict on a packet under\n%s", text);
	assert_true(!err || *refused);
	image_clear(image);
	parsed_clear(&parsed);
}

static void test_expired_rules_are_all_tried_or_refused(void **state)
{
	bool refused, ever = false;

	(void)state;
	for (size_t count = 0; count < 2 * 16; count++) {
		cleanup_free char *text = NULL;
		size_t size, portless = count < 16 ? count : 31 - count;
		FILE *out = open_memstream(&text, &size);

		fputs("default drop\n", out);
		print_nested(out, "allow", portless);
		print_nested(out, "allow 68", count < 16 ? count : 15);
		fclose(out);
		check_steps(text, &refused);
		ever |= refused;
		if (count <= 4)
			assert_false(refused);
	}
	assert_true(ever);
}

/* ruleset_check() refuses too many overlapping rules with a message. */
static void test_too_many_overlapping_rules_are_refused(void **state)
{
	cleanup_free char *text = NULL;
	struct parsed parsed;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	print_nested(out, "allow 22", 20);
	fclose(out);
	parsed_valid(&parsed, text);
	assert_int_equal(ruleset_check(&parsed.ruleset, 0, &parsed.report), -EINVAL);
	fflush(parsed.report.out);
	assert_int_equal(parsed.report.errors, 1);
	assert_non_null(strstr(parsed.messages, "too many rules overlap"));
	parsed_clear(&parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_specific_rule_decides),
		cmocka_unit_test(test_expired_rules_are_all_tried_or_refused),
		cmocka_unit_test(test_too_many_overlapping_rules_are_refused),
	};

	return run_suite("precedence", tests);
}
