// SPDX-License-Identifier: GPL-2.0-only
/* explain_json(): the advice on how to change the verdict. */
#include "unit.h"

#include <jansson.h>
#include <netinet/in.h>

#include "compile/lines.h"
#include "advise/explain.h"
#include "rules/prefix.h"

/* The line that decides, if no built-in one: of a rule, or of packets over a rule's limit. */
#define RULE(number) (1000 + (number))
#define OVER(number) (2000 + (number))

static const struct {
	const char *rules; /* those with "for 1s" have expired */
	const char *source;
	__u8 protocol;
	__u16 port;
	enum verdict verdict;
	__u32 line;
	const char *advice; /* NULL: none */
} cases[] = {
	{ "default drop", "10.0.0.1", IPPROTO_TCP, 80, VERDICT_DROP, LINE_DEFAULT_DROP,
	  "allow 80/tcp from 10.0.0.1" },
	{ "drop from 10.0.0.1", "10.0.0.1", IPPROTO_TCP, 80, VERDICT_DROP, RULE(1),
	  "allow from 10.0.0.1" },
	{ "allow 80 on eth0", "::1", IPPROTO_UDP, 80, VERDICT_PASS, RULE(1),
	  "drop 80/udp from ::1" },
	/* an expired rule does not count */
	{ "default drop\ndrop from 10.0.0.1 for 1s", "10.0.0.1", IPPROTO_TCP, 80, VERDICT_DROP,
	  LINE_DEFAULT_DROP, "allow 80/tcp from 10.0.0.1" },
	{ "default drop\ndrop from 10.0.0.1 for 1h", "10.0.0.1", IPPROTO_TCP, 80, VERDICT_DROP,
	  RULE(1), "allow from 10.0.0.1" },
	{ "allow from 10.0.0.0/8 for 1s", "10.0.0.1", IPPROTO_TCP, 80, VERDICT_PASS,
	  LINE_DEFAULT_PASS, "drop 80/tcp from 10.0.0.1" },
	/* without a grant, a knock's rule does not count */
	{ "knock a opens 80 for 1m after 1/tcp 3/tcp 2/tcp within 1m\nallow 80 on eth0 limit 1/h",
	  "10.0.0.1", IPPROTO_TCP, 80, VERDICT_DROP, OVER(2), "allow 80/tcp from 10.0.0.1" },
	/* over a limit: only a more specific rule helps */
	{ "allow 80 limit 1/h", "10.0.0.1", IPPROTO_TCP, 80, VERDICT_DROP, OVER(1),
	  "allow 80/tcp from 10.0.0.1" },
	{ "allow from 10.0.0.0/8 limit 1/h", "10.0.0.1", IPPROTO_TCP, 80, VERDICT_DROP, OVER(1),
	  "allow from 10.0.0.1" },
	{ "allow from 10.0.0.1 on eth0 limit 1/h", "10.0.0.1", IPPROTO_TCP, 80, VERDICT_DROP,
	  OVER(1), NULL },
	{ "default drop", "10.0.0.1", IPPROTO_ICMP, 0, VERDICT_DROP, LINE_ECHO_LIMITED,
	  "allow from 10.0.0.1" },
	/* lifelines come before rules with ports and after rules without */
	{ "", "10.0.0.1", IPPROTO_ICMP, 0, VERDICT_PASS, LINE_ECHO, "drop from 10.0.0.1" },
	{ "", "10.0.0.1", IPPROTO_UDP, 68, VERDICT_PASS, LINE_DHCP, "drop from 10.0.0.1" },
	{ "drop 68/udp from 10.0.0.1", "10.0.0.1", IPPROTO_UDP, 68, VERDICT_PASS, LINE_DHCP,
	  "drop from 10.0.0.1" },
	{ "option dhcp off", "10.0.0.1", IPPROTO_UDP, 68, VERDICT_PASS, LINE_DEFAULT_PASS,
	  "drop 68/udp from 10.0.0.1" },
	/* ICMPv6 over IPv4 is no echo request */
	{ "option echo off\ndefault drop", "10.0.0.1", IPPROTO_ICMPV6, 0, VERDICT_DROP,
	  LINE_DEFAULT_DROP, "allow from 10.0.0.1" },
	{ "default drop", "10.0.0.1", 47, 0, VERDICT_DROP, LINE_DEFAULT_DROP,
	  "allow 47/ip from 10.0.0.1" },
	/* no rule can change it */
	{ "", "10.0.0.1", 47, 0, VERDICT_DROP, LINE_MALFORMED, NULL },
};

static __u32 line_of(const struct ruleset *ruleset, __u32 line)
{
	if (line < RULE(0))
		return line;
	return line < OVER(0) ? ruleset->rules[line - RULE(1)].line
			      : ruleset->rules[line - OVER(1)].limited_line;
}

/* Parses rules and gives them lines and expiry times, as if they ran. */
static void run_rules(struct parsed *parsed, const char *text)
{
	struct ruleset none;

	ruleset_init(&none);
	parsed_valid(parsed, text);
	assert_int_equal(assign_lines(&parsed->ruleset, &none), 0);
	for (size_t i = 0; i < parsed->ruleset.count; i++) {
		struct rule *rule = &parsed->ruleset.rules[i];

		if (rule->seconds)
			rule->ends = rule->seconds == 1 ? 1 : -1ull;
	}
}

static void test_advice_changes_the_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct packet packet = { .protocol = cases[i].protocol, .port = cases[i].port };
		struct judgement judgement = { 0 };
		struct parsed parsed;
		const char *advice;
		json_t *said;

		run_rules(&parsed, cases[i].rules);
		assert_int_equal(address_parse(cases[i].source, &packet.source), 0);
		judgement.entry = entry_make(cases[i].verdict, 0,
					     line_of(&parsed.ruleset, cases[i].line));
		said = explain_json(&judgement, &packet, &parsed.ruleset, "eth0");
		assert_non_null(said);
		advice = json_string_value(json_object_get(said, "advice"));
		if (strcmp(advice ?: "none", cases[i].advice ?: "none"))
			fail_msg("%s: to %u: \"%s\", expected \"%s\"", cases[i].rules,
				 cases[i].port, advice ?: "none", cases[i].advice ?: "none");
		json_decref(said);
		parsed_clear(&parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_advice_changes_the_verdict),
	};

	return run_suite("explain", tests);
}
