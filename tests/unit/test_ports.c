// SPDX-License-Identifier: GPL-2.0-only
/* Who can reach a port, and which state an outsider sees there. Files of known services. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "compile/compile.h"
#include "advise/known_services.h"
#include "state/ports.h"
#include "rules/prefix.h"
#include "compile/image.h"
#include "compile/lines.h"
#include "rules/ruleset_parse.h"
#include "base/array.h"
#include "base/cleanup.h"

struct fixture {
	struct ruleset ruleset;
	struct outlook outlook;
};

static const struct interface interfaces[] = { { .name = "eth0" }, { .name = "eth1" } };

static void prepare(struct fixture *fixture, const char *text)
{
	struct report report = { .out = stderr, .file = "test" };
	struct ruleset none;

	memset(fixture, 0, sizeof(*fixture));
	ruleset_init(&none);
	ruleset_init(&fixture->ruleset);
	assert_int_equal(ruleset_parse(&fixture->ruleset, text, &report), 0);
	assert_int_equal(assign_lines(&fixture->ruleset, &none), 0);
	fixture->outlook.ruleset = &fixture->ruleset;
	assert_int_equal(outlook_prepare(&fixture->outlook, interfaces, 2), 0);
}

static void clear(struct fixture *fixture)
{
	outlook_clear(&fixture->outlook);
	ruleset_clear(&fixture->ruleset);
}

static void expect_reach(const struct fixture *fixture, __u32 key, enum reach reach)
{
	assert_string_equal(reach_name(port_reach(&fixture->outlook, key, FAMILIES)),
			    reach_name(reach));
}

static void expect_state(const struct fixture *fixture, __u32 key, unsigned char families,
			 const char *state)
{
	assert_string_equal(port_state_name(port_state(&fixture->outlook, key, families)),
			    state);
}

static void test_who_reaches_a_port(void **state)
{
	struct fixture fixture;
	struct prefix source;

	(void)state;
	prepare(&fixture,
		"default drop\n"
		"allow 22/tcp from 192.0.2.0/24, 2001:db8::1\n"
		"drop 22/tcp from 192.0.2.7\n"
		"allow 80\n"
		"allow 100-200/udp\n"
		"knock door opens 443/tcp for 30s after 1/tcp 2/tcp 3/tcp within 9s\n");
	expect_reach(&fixture, PORT_KEY_TCP + 22, REACH_SOURCES);
	expect_reach(&fixture, PORT_KEY_UDP + 22, REACH_NONE);
	expect_reach(&fixture, PORT_KEY_TCP + 80, REACH_ALL);
	expect_reach(&fixture, PORT_KEY_UDP + 150, REACH_ALL);
	expect_reach(&fixture, PORT_KEY_TCP + 443, REACH_GRANT);
	expect_reach(&fixture, PORT_KEY_TCP + 23, REACH_NONE);
	fixture.outlook.source = &source;
	assert_int_equal(address_parse("192.0.2.1", &source), 0);
	expect_reach(&fixture, PORT_KEY_TCP + 22, REACH_ALL);
	assert_int_equal(address_parse("192.0.2.7", &source), 0);
	expect_reach(&fixture, PORT_KEY_TCP + 22, REACH_NONE);
	clear(&fixture);
}

/* An allowed prefix, of which narrower rules drop a part or everything. */
static void test_sources_left_by_narrower_rules(void **state)
{
	static const struct {
		const char *text;
		enum reach reach;
	} cases[] = {
		{ "allow 443/tcp from 10.0.0.0/8\ndrop 443/tcp from 10.0.0.0/9, 10.128.0.0/9",
		  REACH_NONE },
		{ "allow 443/tcp from 10.0.0.0/8\nreject 443/tcp from 10.0.0.0/9, 10.128.0.0/9",
		  REACH_NONE },
		{ "allow 443/tcp from 10.0.0.0/8\ndrop 443/tcp from 10.0.0.0/9, 10.128.0.0/10",
		  REACH_SOURCES },
		{ "allow 443/tcp from 10.0.0.0/8\ndrop 443/tcp from 10.0.0.0/9, 10.128.0.0/9\n"
		  "allow 443/tcp from 10.1.2.3",
		  REACH_SOURCES },
		/* all but one address in the middle */
		{ "allow 443/tcp from 10.0.0.0/29\n"
		  "drop 443/tcp from 10.0.0.0/30, 10.0.0.5, 10.0.0.6/31",
		  REACH_SOURCES },
		{ "allow 443/tcp from 10.0.0.0/29\n"
		  "drop 443/tcp from 10.0.0.0/30, 10.0.0.4/31, 10.0.0.6/31",
		  REACH_NONE },
		/* no address comes after the last */
		{ "allow 443/tcp from 255.0.0.0/8\ndrop 443/tcp from 255.0.0.0/9, 255.128.0.0/9",
		  REACH_NONE },
		{ "allow 443/tcp from fd00::/8\ndrop 443/tcp from fd00::/9", REACH_SOURCES },
		{ "allow 443/tcp from fd00::/8\ndrop 443/tcp from fd00::/9, fd80::/9",
		  REACH_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture fixture;
		char text[256];

		snprintf(text, sizeof(text), "default drop\n%s", cases[i].text);
		prepare(&fixture, text);
		expect_reach(&fixture, PORT_KEY_TCP + 443, cases[i].reach);
		clear(&fixture);
	}
}

/* Rules for addresses that nobody can have, such as 0.0.0.0/8, do not matter. */
static void test_unusable_addresses_do_not_matter(void **state)
{
	struct fixture fixture;

	(void)state;
	prepare(&fixture, "default allow\ndrop from 0.0.0.0/8, ::/8\n");
	expect_reach(&fixture, PORT_KEY_TCP + 22, REACH_ALL);
	expect_state(&fixture, PORT_KEY_TCP + 22, FAMILIES, "open");
	clear(&fixture);
	prepare(&fixture, "default drop\nallow 22 from 0.0.0.0/8, ::/8\n");
	expect_reach(&fixture, PORT_KEY_TCP + 22, REACH_SOURCES);
	assert_null(port_opener(&fixture.outlook, PORT_KEY_TCP + 22));
	clear(&fixture);
}

static const struct {
	const char *text;
	const char *ipv4;
	const char *ipv6;
} strangers[] = {
	{ "", "1.0.0.0", "2000::" },
	{ "drop from 1.0.0.0/8, 2000::/16", "2.0.0.0", "2001:200::" },
	{ "drop from 1.0.0.0/9, 1.128.0.0/10, 1.0.0.3\nallow 22 from 1.192.0.0/16", "1.193.0.0",
	  "2000::" },
	{ "drop from 0.0.0.0/1", "128.0.0.0", "2000::" },
	/* rules name all public addresses: then a private one */
	{ "drop from 1.0.0.0/8, 2.0.0.0/7, 4.0.0.0/6, 8.0.0.0/7, 11.0.0.0/8, 12.0.0.0/6\n"
	  "drop from 16.0.0.0/4, 32.0.0.0/3, 64.0.0.0/2, 128.0.0.0/2, 192.0.0.0/3, 2000::/3",
	  "10.0.0.0", "::2" },
	/* rules for everybody: then an address that only the widest of them name */
	{ "drop from 0.0.0.0/0\nallow 22 from 1.0.0.0/8, 2.0.0.0/32, ::/0", "2.0.0.1",
	  "2000::" },
	{ "allow from 0.0.0.0/1, 128.0.0.0/1\ndrop from 1.0.0.0/8, ::/1, 8000::/1", "2.0.0.0",
	  "2000::" },
};

static void test_stranger_is_an_address_without_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		struct fixture fixture;
		char text[ADDRESS_TEXT];
		const struct prefix *found = fixture.outlook.strangers;

		prepare(&fixture, strangers[i].text);
		assert_int_equal(found[0].length, 32);
		assert_string_equal(address_text(found[0].address, 4, text), strangers[i].ipv4);
		assert_int_equal(found[1].length, 128);
		assert_string_equal(address_text(found[1].address, 6, text), strangers[i].ipv6);
		clear(&fixture);
	}
}

/* A rule from 0.0.0.0/0 counts as one for everybody. */
static void test_all_addresses_are_everybody(void **state)
{
	struct fixture fixture;

	(void)state;
	prepare(&fixture, "default drop\nallow 22 from 0.0.0.0/0\ndrop from 1.0.0.0/8\n"
			  "allow 23 from 2.0.0.0/8\n");
	expect_reach(&fixture, PORT_KEY_TCP + 22, REACH_ALL);
	expect_reach(&fixture, PORT_KEY_TCP + 23, REACH_SOURCES);
	clear(&fixture);
}

static void test_states_seen_from_outside(void **state)
{
	struct fixture fixture;

	(void)state;
	prepare(&fixture, "default drop\nallow 80\nreject 113\n");
	expect_state(&fixture, PORT_KEY_TCP + 80, FAMILIES, "open");
	expect_state(&fixture, PORT_KEY_TCP + 80, 0, "closed");
	expect_state(&fixture, PORT_KEY_UDP + 80, FAMILIES, "open|filtered");
	expect_state(&fixture, PORT_KEY_UDP + 80, 0, "closed");
	expect_state(&fixture, PORT_KEY_TCP + 113, FAMILIES, "closed");
	expect_state(&fixture, PORT_KEY_UDP + 113, FAMILIES, "closed");
	expect_state(&fixture, PORT_KEY_TCP + 23, FAMILIES, "filtered");
	expect_state(&fixture, PORT_KEY_UDP + 23, 0, "open|filtered");
	clear(&fixture);
}

/* A listener of one address family cannot be reached by the other. */
static void test_listener_of_one_family(void **state)
{
	struct fixture fixture;
	struct prefix source;

	(void)state;
	prepare(&fixture, "default drop\nallow 80\nallow 22/tcp from 2001:db8::1\n");
	expect_state(&fixture, PORT_KEY_TCP + 80, FAMILY_IPV4, "open");
	assert_string_equal(
		reach_name(port_reach(&fixture.outlook, PORT_KEY_TCP + 22, FAMILY_IPV4)), "no");
	fixture.outlook.source = &source;
	assert_int_equal(address_parse("2001:db8::1", &source), 0);
	expect_state(&fixture, PORT_KEY_TCP + 80, FAMILY_IPV4, "closed");
	expect_state(&fixture, PORT_KEY_TCP + 80, FAMILY_IPV6, "open");
	expect_state(&fixture, PORT_KEY_UDP + 80, FAMILY_IPV4, "closed");
	assert_string_equal(
		reach_name(port_reach(&fixture.outlook, PORT_KEY_TCP + 80, FAMILY_IPV4)), "no");
	clear(&fixture);
}

/* A port that is open on one interface is open. */
static void test_open_on_one_interface_is_open(void **state)
{
	struct fixture fixture;

	(void)state;
	prepare(&fixture, "default drop\nallow 80 on eth1\nreject 113 on eth1\n");
	assert_int_equal(fixture.outlook.image_count, 2);
	expect_state(&fixture, PORT_KEY_TCP + 80, FAMILIES, "open");
	expect_reach(&fixture, PORT_KEY_TCP + 80, REACH_ALL);
	expect_state(&fixture, PORT_KEY_TCP + 113, FAMILIES, "closed");
	expect_state(&fixture, PORT_KEY_TCP + 81, FAMILIES, "filtered");
	clear(&fixture);
	prepare(&fixture, "default drop\nallow 80\n");
	assert_int_equal(fixture.outlook.image_count, 1);
	clear(&fixture);
}

/* A source with a grant reaches the service that its grant is for, and no other. */
static void test_grant_reaches_its_service(void **state)
{
	struct fixture fixture;
	struct prefix source;

	(void)state;
	prepare(&fixture, "default drop\n"
			  "knock a opens 443/tcp for 30s after 1/tcp 2/tcp 4/tcp within 9s\n"
			  "knock b opens 22/tcp for 30s after 4/tcp 1/tcp 3/tcp within 9s\n");
	assert_int_equal(address_parse("192.0.2.1", &source), 0);
	fixture.outlook.source = &source;
	fixture.outlook.doors = 1ull << (fixture.ruleset.rules[1].door - 1);
	expect_state(&fixture, PORT_KEY_TCP + 22, FAMILIES, "open");
	expect_reach(&fixture, PORT_KEY_TCP + 22, REACH_ALL);
	expect_state(&fixture, PORT_KEY_TCP + 443, FAMILIES, "filtered");
	expect_reach(&fixture, PORT_KEY_TCP + 443, REACH_GRANT);
	clear(&fixture);
}

/* A rule names the ports of a range of 16 or less; a wider range allows without naming. */
static void test_ports_that_rules_name_or_allow(void **state)
{
	struct fixture fixture;
	const unsigned char *marks;

	(void)state;
	prepare(&fixture, "default drop\nallow 1000-1015/tcp\nallow 2000-2016\ndrop 3000\n"
			  "allow from 10.0.0.0/8\n");
	marks = fixture.outlook.marks;
	assert_int_equal(marks[PORT_KEY_TCP + 1015],
			 MARK_NAMED | MARK_ALLOWED | MARK_ALLOWED_ALL | MARK_SOURCES);
	assert_int_equal(marks[PORT_KEY_UDP + 1015], MARK_SOURCES);
	assert_int_equal(marks[PORT_KEY_UDP + 2016],
			 MARK_ALLOWED | MARK_ALLOWED_ALL | MARK_SOURCES);
	assert_int_equal(marks[PORT_KEY_TCP + 3000], MARK_NAMED | MARK_SOURCES);
	clear(&fixture);
}

static double seconds_of_clock(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void write_sources(FILE *out, int i)
{
	fprintf(out, "drop from 11.%d.%d.1\n", i >> 8, i & 255);
	fprintf(out, "drop 1-65535 from 12.%d.%d.1\n", i >> 8, i & 255);
}

static void write_port(FILE *out, int port)
{
	fprintf(out, "allow %d/tcp from 11.%d.%d.1\n", port, port >> 8, port & 255);
	fprintf(out, "allow %d/udp from 12.%d.%d.1\n", port, port >> 8, port & 255);
}

/* Prepares a ruleset of MAX_RULES rules. */
static void prepare_many(struct fixture *fixture, void (*write)(FILE *out, int number))
{
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("default drop\n", out);
	for (int i = 1; i <= 0xffff; i += 2)
		write(out, i);
	fclose(out);
	prepare(fixture, text);
}

/* The time that compiling takes: the yardstick for other times. */
static double seconds_to_compile(const struct ruleset *ruleset)
{
	struct image *image = calloc(1, sizeof(*image));
	double begun = seconds_of_clock(), seconds;

	assert_non_null(image);
	assert_int_equal(compile(ruleset, "eth0", image, NULL), 0);
	seconds = seconds_of_clock() - begun;
	image_clear(image);
	free(image);
	return seconds;
}

static void expect_quick(const struct fixture *fixture, double begun)
{
	double seconds = seconds_of_clock() - begun;
	double compiled = seconds_to_compile(&fixture->ruleset);

	if (seconds > 10 * compiled)
		fail_msg("%.3f s beside %.3f s to compile", seconds, compiled);
}

/* 65,536 rules that name no port, or all ports. */
static void test_prepare_is_quick_with_many_sources(void **state)
{
	struct fixture fixture;
	double begun;

	(void)state;
	prepare_many(&fixture, write_sources);
	outlook_clear(&fixture.outlook);
	begun = seconds_of_clock();
	assert_int_equal(outlook_prepare(&fixture.outlook, interfaces, 2), 0);
	expect_quick(&fixture, begun);
	clear(&fixture);
}

/* Each port has its own sources: asking about a port does not walk all rules. */
static void test_reach_is_quick_with_sources_of_each_port(void **state)
{
	struct fixture fixture;
	double begun;

	(void)state;
	prepare_many(&fixture, write_port);
	begun = seconds_of_clock();
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		if ((key & 1) != (port_reach(&fixture.outlook, key, FAMILIES) == REACH_SOURCES))
			fail_msg("key %u", key);
	}
	expect_quick(&fixture, begun);
	clear(&fixture);
}

static void test_builtin_known_services(void **state)
{
	struct known_services known;
	unsigned int row;
	const struct known_program *sshd;

	(void)state;
	assert_int_equal(known_services_read(&known, NULL, &row), 0);
	sshd = known_program(&known, "sshd");
	assert_non_null(sshd);
	assert_true(known_program_uses(sshd, PORT_KEY_TCP + 22));
	assert_false(known_program_uses(sshd, PORT_KEY_TCP + 2222));
	assert_non_null(known.reasons[PORT_KEY_TCP + 23]);
	assert_null(known.reasons[PORT_KEY_TCP + 22]);
	assert_true(known_program_uses(known_program(&known, "systemd"), PORT_KEY_TCP + 1));
	assert_null(known_program_at(&known, PORT_KEY_TCP + 1));
	known_services_clear(&known);
}

static void test_wrong_known_services_are_refused(void **state)
{
	static const char *const wrong[] = {
		"private",
		"private 22/tcp",
		"private 22 why",
		"private 22-23/tcp why",
		"private x/tcp why",
		"private 1/tcp a\nprivate 1/tcp b",
		"program x",
		"program x 22",
		"anywhere x 22/tcp",
		"anywhere",
		"nonsense 22/tcp why",
		"program x 1/tcp 2/tcp 3/tcp 4/tcp 5/tcp 6/tcp 7/tcp 8/tcp 9/tcp",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct known_services known;
		unsigned int row;

		assert_int_equal(known_services_read(&known, wrong[i], &row), -EINVAL);
		known_services_clear(&known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unusable_addresses_do_not_matter),
		cmocka_unit_test(test_stranger_is_an_address_without_rules),
		cmocka_unit_test(test_all_addresses_are_everybody),
		cmocka_unit_test(test_who_reaches_a_port),
		cmocka_unit_test(test_sources_left_by_narrower_rules),
		cmocka_unit_test(test_states_seen_from_outside),
		cmocka_unit_test(test_listener_of_one_family),
		cmocka_unit_test(test_open_on_one_interface_is_open),
		cmocka_unit_test(test_grant_reaches_its_service),
		cmocka_unit_test(test_ports_that_rules_name_or_allow),
		cmocka_unit_test(test_prepare_is_quick_with_many_sources),
		cmocka_unit_test(test_reach_is_quick_with_sources_of_each_port),
		cmocka_unit_test(test_builtin_known_services),
		cmocka_unit_test(test_wrong_known_services_are_refused),
	};

	return run_suite("ports", tests);
}
