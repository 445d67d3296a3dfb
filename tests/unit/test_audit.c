// SPDX-License-Identifier: GPL-2.0-only
/* audit_find() and suggest(): their findings for given listeners and rulesets. */
#include "unit.h"

#include "advise/audit.h"
#include "advise/suggest.h"
#include "compile/lines.h"
#include "rules/ruleset_parse.h"

/* A program listens on 2222/tcp at all addresses; portctl is attached to eth0 and eth1. */
struct fixture {
	struct ruleset policy_rules;
	struct outlook policy;
	struct listener listener;
	struct inventory inventory;
	struct known_services known;
	struct audit audit;
};

static struct interface interfaces[] = { { .name = "eth0" }, { .name = "eth1" } };

#define NOW 1000 /* nanoseconds since boot */

static void read_rules(struct ruleset *ruleset, const char *text)
{
	struct report report = { .out = stderr, .file = "test" };
	struct ruleset none;

	ruleset_init(&none);
	ruleset_init(ruleset);
	assert_int_equal(ruleset_parse(ruleset, text, &report), 0);
	assert_int_equal(assign_lines(ruleset, &none), 0);
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].seconds) /* "for 1s" has expired, anything longer not */
			ruleset->rules[i].ends = NOW + ruleset->rules[i].seconds - 1;
	}
}

static void judge_by(struct outlook *outlook, const struct ruleset *ruleset)
{
	outlook->ruleset = ruleset;
	outlook->now = NOW;
	assert_int_equal(outlook_prepare(outlook, interfaces, ARRAY_SIZE(interfaces)), 0);
}

static void listen_at(struct fixture *fixture, __u32 key)
{
	fixture->listener.key = key;
	fixture->inventory.outside[key] = FAMILIES;
}

static void prepare(struct fixture *fixture, const char *running, const char *policy)
{
	struct inventory *inventory = &fixture->inventory;
	unsigned int row;

	*fixture = (struct fixture){ 0 };
	fixture->listener.address = (struct prefix){ .family = 6, .length = 128 };
	fixture->listener.both = true;
	inventory->listeners = &fixture->listener;
	inventory->listener_count = 1;
	inventory->outside = calloc(PORT_KEYS, 1);
	listen_at(fixture, PORT_KEY_TCP + 2222);
	read_rules(&inventory->snapshot.ruleset, running);
	judge_by(&inventory->outlook, &inventory->snapshot.ruleset);
	assert_int_equal(known_services_read(&fixture->known, NULL, &row), 0);
	fixture->audit = (struct audit){ .inventory = inventory, .known = &fixture->known };
	ruleset_init(&fixture->policy_rules);
	if (!policy)
		return;
	read_rules(&fixture->policy_rules, policy);
	judge_by(&fixture->policy, &fixture->policy_rules);
	fixture->audit.policy = &fixture->policy;
}

static void clear(struct fixture *fixture)
{
	outlook_clear(&fixture->policy);
	outlook_clear(&fixture->inventory.outlook);
	ruleset_clear(&fixture->policy_rules);
	ruleset_clear(&fixture->inventory.snapshot.ruleset);
	free(fixture->inventory.outside);
	known_services_clear(&fixture->known);
}

/* Expects a finding whose text contains `text`, or no finding if `text` is NULL. */
static void expect(const struct fixture *fixture, enum finding finding, const char *text)
{
	json_t *list = json_array();
	const char *found;

	audit_find(&fixture->audit, finding, list);
	found = json_string_value(json_object_get(json_array_get(list, 0), "text"));
	if (!text && found)
		fail_msg("found: %s", found);
	if (text && (!found || !strstr(found, text)))
		fail_msg("found %s, expected %s", found ?: "nothing", text);
	json_decref(list);
}

static const struct {
	const char *running;
	const char *policy;
	const char *text;
} wider[] = {
	/* the policy drops a source that no running rule names */
	{ "default drop\nallow 2222/tcp from 10.0.0.0/8",
	  "default drop\nallow 2222/tcp from 10.0.0.0/8\ndrop 2222/tcp from 10.66.0.0/16",
	  ", 10.66.0.0/16 can reach it, but the policy does not allow that" },
	{ "allow 2222/tcp", "allow 2222/tcp\ndrop from 10.66.0.0/16", ", 10.66.0.0/16 can" },
	{ "allow 2222/tcp", "allow 2222/tcp\ndrop 2222/tcp from ::/0", ", ::/0 can" },
	{ "allow 2222/tcp", "default drop\nallow 2222/tcp from 0.0.0.0/0", ", ::/0 can" },
	/* the policy allows fewer sources than the running rules */
	{ "default drop\nallow 2222/tcp from 10.0.0.0/8",
	  "default drop\nallow 2222/tcp from 10.0.0.0/16", ", 10.0.0.0/8 can" },
	{ "default drop\nallow 2222/tcp from 10.0.0.0/8\ndrop from 10.2.0.0/15, 10.4.0.0/14",
	  "default drop\nallow 2222/tcp from 10.0.0.0/15, 10.8.0.0/13, 10.16.0.0/12,"
	  "10.32.0.0/11, 10.64.0.0/10, 10.128.0.0/9",
	  NULL },
	/* the running rules are not wider */
	{ "allow 2222/tcp", "allow 2222/tcp\ndrop 2223/tcp from 10.66.0.0/16", NULL },
	{ "allow 2222/tcp\ndrop from 10.66.0.0/16", "allow 2222/tcp\ndrop from 10.66.1.0/24",
	  NULL },
	{ "allow 2222/tcp from 10.0.0.0/8\ndefault drop", "allow 2222/tcp", NULL },
};

static void test_wider_than_policy(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wider); i++) {
		struct fixture fixture;

		prepare(&fixture, wider[i].running, wider[i].policy);
		expect(&fixture, FINDING_WIDER, wider[i].text);
		clear(&fixture);
	}
}

#define UNNAMED "everybody can reach it, but no rule allows this port"

/* A rule that expired, or is for an interface without portctl, does not count. */
static void test_ignores_rules_not_in_force(void **state)
{
	static const char *const words[] = { "for 1s", "on eth2" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct fixture fixture;
		char rule[64];

		snprintf(rule, sizeof(rule), "allow 2222/tcp 99/tcp %s", words[i]);
		prepare(&fixture, rule, NULL);
		expect(&fixture, FINDING_UNNAMED, UNNAMED);
		expect(&fixture, FINDING_UNUSED, NULL);
		clear(&fixture);
	}
}

static void test_uses_rules_in_force(void **state)
{
	static const char *const words[] = { "for 2s", "on eth1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct fixture fixture;
		char rule[64];

		snprintf(rule, sizeof(rule), "allow 2222/tcp 99/tcp %s", words[i]);
		prepare(&fixture, rule, NULL);
		expect(&fixture, FINDING_UNNAMED, NULL);
		expect(&fixture, FINDING_UNUSED, "allows 99/tcp, but nothing listens there");
		clear(&fixture);
	}
}

/* A rule allows the port to some sources, and the default lets in the others. */
static void test_port_open_by_default(void **state)
{
	static const struct {
		const char *running;
		const char *policy;
		const char *text;
	} cases[] = {
		{ "allow 2222/tcp from 10.0.0.0/8", NULL,
		  "everybody can reach it, but the rules for this port allow only some" },
		{ "allow 2222/tcp from 10.0.0.0/8, ::/0", NULL, NULL },
		{ "allow 2222/tcp from 10.0.0.0/8\nallow 2222/tcp", NULL, NULL },
		{ "default drop\nallow 2222/tcp from 10.0.0.0/8", NULL, NULL },
		{ "knock a opens 2222/tcp for 9s after 1/tcp 2/tcp 3/tcp within 9s", NULL,
		  NULL },
		/* the policy names the port: that is FINDING_WIDER */
		{ "default allow", "default drop\nallow 2222/tcp from 10.0.0.0/8", NULL },
		{ "allow 2222/tcp", "default drop",
		  "everybody can reach it, but no rule of the policy allows this port" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture fixture;

		prepare(&fixture, cases[i].running, cases[i].policy);
		expect(&fixture, FINDING_UNNAMED, cases[i].text);
		clear(&fixture);
	}
}

#define DAY 86400 /* seconds */
#define SECOND 1000000000ull

/* The rules run since day 1; eth0 and eth1 were attached on the days given; today is day 41. */
static void expect_idle(const char *running, int eth0, int eth1, const char *text)
{
	struct tally none[2] = { 0 };
	struct stats stats[] = { { .rules = none, .limited = none },
				 { .rules = none, .limited = none } };
	struct interface attached[] = { { .name = "eth0", .attached_at = eth0 * DAY },
					{ .name = "eth1", .attached_at = eth1 * DAY } };
	struct fixture fixture;
	struct inventory *inventory = &fixture.inventory;

	prepare(&fixture, running, NULL);
	for (size_t i = 0; i < inventory->snapshot.ruleset.count; i++)
		inventory->snapshot.ruleset.rules[i].since = DAY * SECOND;
	inventory->snapshot.dp.interfaces = attached;
	inventory->snapshot.dp.count = 2;
	inventory->snapshot.stats = stats;
	inventory->interface_count = 2;
	fixture.audit.now = 41 * DAY * SECOND;
	fixture.audit.days = 30;
	expect(&fixture, FINDING_IDLE, text);
	clear(&fixture);
}

static void test_rule_without_packets(void **state)
{
	(void)state;
	expect_idle("allow 22", 0, 0, "no packet has matched for 40 days");
	/* Attaching resets the counters. */
	expect_idle("allow 22", 10, 11, "no packet has matched for 30 days");
	expect_idle("allow 22", 0, 12, NULL);
	expect_idle("allow 22 on eth0", 0, 12, "no packet has matched for 40 days");
	expect_idle("allow 22 on eth1", 0, 12, NULL);
	/* No packet can match a rule that expired, or is for an interface without portctl. */
	expect_idle("allow 22 for 1s", 0, 0, NULL);
	expect_idle("allow 22 for 2s", 0, 0, "no packet has matched for 40 days");
	expect_idle("allow 22 on eth2", 0, 0, NULL);
}

/* Expects suggest()'s output to contain `line`, or not, when a program listens at `key`. */
static void expect_suggested_at(__u32 key, const char *running, const char *line, bool is_there)
{
	struct connections connections = { 0 };
	struct fixture fixture;
	struct suggestion suggestion = { &fixture.inventory, &connections };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	prepare(&fixture, running, NULL);
	listen_at(&fixture, key);
	assert_int_equal(suggest(&suggestion, out), 0);
	fclose(out);
	if (!strstr(text, line) == is_there)
		fail_msg("%s in:\n%s", is_there ? "not" : "found", text);
	free(text);
	clear(&fixture);
}

static void expect_suggested(const char *running, const char *line, bool is_there)
{
	expect_suggested_at(PORT_KEY_TCP + 2222, running, line, is_there);
}

static void test_suggest_keeps_rules_with_more_than_ports(void **state)
{
	(void)state;
	/* A rule that names more than ports is kept whole. */
	expect_suggested("allow 2222/tcp gre", "\nallow 2222/tcp 47/ip\n", true);
	expect_suggested("allow 2222/tcp gre", "\nallow 2222/tcp comment", false);
	expect_suggested("allow 2222/tcp 99/tcp", "\nallow 2222/tcp comment", true);
	/* A rule for another interface is kept, but does not open the port here. */
	expect_suggested("allow 2222/tcp on eth2", "\nallow 2222/tcp comment", true);
	expect_suggested("allow 2222/tcp on eth1", "\nallow 2222/tcp comment", false);
}

/* An ephemeral UDP port is suggested only if a rule opens it: else it waits for replies. */
static void test_suggest_ephemeral_udp_port(void **state)
{
	const __u32 key = PORT_KEY_UDP + 51820;

	(void)state;
	expect_suggested_at(key, "default drop\nallow 51820/udp", "\nallow 51820/udp comment",
			    true);
	expect_suggested_at(key, "default allow", "replies are let in without a rule", true);
	expect_suggested_at(key, "default allow", "\nallow 51820/udp", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wider_than_policy),
		cmocka_unit_test(test_ignores_rules_not_in_force),
		cmocka_unit_test(test_uses_rules_in_force),
		cmocka_unit_test(test_port_open_by_default),
		cmocka_unit_test(test_rule_without_packets),
		cmocka_unit_test(test_suggest_keeps_rules_with_more_than_ports),
		cmocka_unit_test(test_suggest_ephemeral_udp_port),
	};

	return run_suite("audit", tests);
}
