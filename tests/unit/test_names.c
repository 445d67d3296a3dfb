// SPDX-License-Identifier: GPL-2.0-only
/* Names of ports, port classes, verdicts, lines, services and IP protocols. */
#include "unit.h"

#include <errno.h>

#include "rules/names.h"

#define UDP(port) (PORT_KEY_UDP + (port))

/* RFC 6335, section 6 */
static void test_class_of_each_port(void **state)
{
	(void)state;
	for (__u32 port = 0; port <= 65535; port++)
		assert_string_equal(port_class(port), port <= 1023    ? "well-known"
						      : port <= 49151 ? "registered"
								      : "dynamic");
}

static void test_port_and_protocol_of_each_key(void **state)
{
	(void)state;
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		assert_int_equal(key_port(key), key < 65536 ? key : key - 65536);
		assert_string_equal(key_protocol(key), key < 65536 ? "tcp" : "udp");
	}
}

/* Each verdict has two names: one in rules (its action), one in output. */
static void test_names_of_verdicts(void **state)
{
	(void)state;
	assert_string_equal(verdict_name(VERDICT_UNSET), "unset");
	assert_string_equal(verdict_name(VERDICT_DROP), "drop");
	assert_string_equal(verdict_name(VERDICT_PASS), "pass");
	assert_string_equal(verdict_name(VERDICT_REJECT), "reject");
	assert_string_equal(action_name(VERDICT_UNSET), "unset");
	assert_string_equal(action_name(VERDICT_DROP), "drop");
	assert_string_equal(action_name(VERDICT_PASS), "allow");
	assert_string_equal(action_name(VERDICT_REJECT), "reject");
	assert_int_equal(action_verdict("allow"), VERDICT_PASS);
	assert_int_equal(action_verdict("drop"), VERDICT_DROP);
	assert_int_equal(action_verdict("reject"), VERDICT_REJECT);
	assert_int_equal(action_verdict("pass"), VERDICT_UNSET);
	assert_int_equal(action_verdict("unset"), VERDICT_UNSET);
	assert_int_equal(action_verdict("Allow"), VERDICT_UNSET);
	assert_int_equal(action_verdict("allo"), VERDICT_UNSET);
	assert_int_equal(action_verdict(""), VERDICT_UNSET);
}

static const struct {
	const char *name;
	enum verdict verdict;
} lines[LINES_BUILTIN] = {
	[LINE_UNSET] = { "unset", VERDICT_DROP },
	[LINE_NOT_IP] = { "not-ip", VERDICT_PASS },
	[LINE_MALFORMED] = { "malformed", VERDICT_DROP },
	[LINE_FRAGMENT_PASS] = { "fragment", VERDICT_PASS },
	[LINE_FRAGMENT_DROP] = { "fragment", VERDICT_DROP },
	[LINE_DEFAULT_PASS] = { "default", VERDICT_PASS },
	[LINE_DEFAULT_DROP] = { "default", VERDICT_DROP },
	[LINE_DEFAULT_REJECT] = { "default", VERDICT_REJECT },
	[LINE_REPLY] = { "reply", VERDICT_PASS },
	[LINE_ERROR] = { "icmp-errors", VERDICT_PASS },
	[LINE_NEIGHBOUR] = { "neighbours", VERDICT_PASS },
	[LINE_ECHO] = { "echo", VERDICT_PASS },
	[LINE_ECHO_LIMITED] = { "echo limited", VERDICT_DROP },
	[LINE_DHCP] = { "dhcp", VERDICT_PASS },
	[LINE_REMOVED_PASS] = { "removed", VERDICT_PASS },
	[LINE_REMOVED_DROP] = { "removed", VERDICT_DROP },
	[LINE_KNOCK] = { "knock", VERDICT_DROP },
};

static void test_names_and_verdicts_of_builtin_lines(void **state)
{
	(void)state;
	for (enum line line = 0; line < LINES_BUILTIN; line++) {
		assert_string_equal(line_name(line), lines[line].name);
		assert_int_equal(line_verdict(line), lines[line].verdict);
	}
}

/* Names that every services database has. */
static void test_services_by_name_and_port(void **state)
{
	(void)state;
	assert_string_equal(service_name(22), "ssh");
	assert_string_equal(service_name(80), "http");
	assert_string_equal(service_name(53), "domain");
	assert_string_equal(service_name(UDP(53)), "domain");
	assert_string_equal(service_name(UDP(69)), "tftp");
	assert_null(service_name(0));
	assert_null(service_name(UDP(65535)));
	assert_int_equal(service_port("ssh", TRANSPORT_TCP), 22);
	assert_int_equal(service_port("domain", TRANSPORT_TCP), 53);
	assert_int_equal(service_port("domain", TRANSPORT_UDP), 53);
	assert_int_equal(service_port("tftp", TRANSPORT_UDP), 69);
	assert_int_equal(service_port("tftp", TRANSPORT_TCP), -ENOENT);
	assert_int_equal(service_port("www", TRANSPORT_TCP), 80); /* an alias */
	assert_int_equal(service_port("SSH", TRANSPORT_TCP), -ENOENT);
	assert_int_equal(service_port("", TRANSPORT_TCP), -ENOENT);
	assert_int_equal(service_port("22", TRANSPORT_TCP), -ENOENT);
}

/* service_name() and service_port() agree about every port. */
static void test_service_names_agree_with_ports(void **state)
{
	int count = 0;

	(void)state;
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		const char *name = service_name(key);
		enum transport transport = key < PORT_KEY_UDP ? TRANSPORT_TCP : TRANSPORT_UDP;

		if (!name)
			continue;
		count++;
		assert_string_not_equal(name, "");
		/* Several ports may share a name; service_port() returns one of them. */
		assert_true(service_port(name, transport) >= 0);
		assert_ptr_equal(service_name(key), name);
	}
	assert_in_range(count, 50, PORT_KEYS);
}

static void test_protocol_numbers(void **state)
{
	(void)state;
	assert_int_equal(protocol_number("icmp"), 1);
	assert_int_equal(protocol_number("tcp"), 6);
	assert_int_equal(protocol_number("udp"), 17);
	assert_int_equal(protocol_number("gre"), 47);
	assert_int_equal(protocol_number("GRE"), 47); /* an alias */
	assert_int_equal(protocol_number("nosuch"), -ENOENT);
	assert_int_equal(protocol_number("mptcp"), -ENOENT); /* 262: not an IP protocol */
	assert_int_equal(protocol_number(""), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_class_of_each_port),
		cmocka_unit_test(test_port_and_protocol_of_each_key),
		cmocka_unit_test(test_names_of_verdicts),
		cmocka_unit_test(test_names_and_verdicts_of_builtin_lines),
		cmocka_unit_test(test_services_by_name_and_port),
		cmocka_unit_test(test_service_names_agree_with_ports),
		cmocka_unit_test(test_protocol_numbers),
	};

	return run_suite("names", tests);
}
