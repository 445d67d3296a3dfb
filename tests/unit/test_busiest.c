// SPDX-License-Identifier: GPL-2.0-only
/* stats_busiest(): which ports it returns, and in which order. */
#include "unit.h"

#include "random.h"
#include "state/stats.h"

#define UDP(port) (PORT_KEY_UDP + (port))
#define PORTS_MOST 8

/* Counters with two equally busy ports, a port that passes and drops, and the last port key. */
static struct port_counter *make_ports(void)
{
	struct port_counter *ports = calloc(PORT_KEYS, sizeof(*ports));

	assert_non_null(ports);
	ports[22].pass.packets = 10;
	ports[23].drop.packets = 11;
	ports[80] = (struct port_counter){ .pass = { 6, 9000 }, .drop = { 6, 9000 } };
	ports[UDP(53)].pass.packets = 10;
	ports[0].drop.packets = 1;
	ports[UDP(65535)].drop.packets = 1ull << 40;
	return ports;
}

static const struct {
	const char *wanted; /* ports as in a rule; NULL: all ports */
	size_t count;
	__u32 keys[PORTS_MOST];
} cases[] = {
	{ NULL, 6, { UDP(65535), 80, 23, 22, UDP(53), 0 } },
	{ "22", 1, { 22 } },
	{ "22/udp", 0, { 0 } },
	{ "22/tcp 53/udp", 2, { 22, UDP(53) } },
	{ "53", 1, { UDP(53) } },
	{ "22-80", 4, { 80, 23, 22, UDP(53) } },
	{ "23-79/tcp", 1, { 23 } },
	{ "23-80/tcp", 2, { 80, 23 } },
	{ "0 65535", 2, { UDP(65535), 0 } },
	{ "0-65535/udp", 2, { UDP(65535), UDP(53) } },
	{ "0-65535", 6, { UDP(65535), 80, 23, 22, UDP(53), 0 } },
	{ "gre", 0, { 0 } },
	{ "gre 22", 1, { 22 } },
	{ "22 22-23 23", 2, { 23, 22 } },
	{ "81-65534/tcp", 0, { 0 } },
};

/* Parses the ports `wanted` as the only rule of a ruleset. */
static void parsed_wanted(struct parsed *parsed, const char *wanted)
{
	char text[64];

	snprintf(text, sizeof(text), "allow %s", wanted ?: "1");
	parsed_valid(parsed, text);
	if (!wanted)
		parsed->ruleset.rules->term_count = 0;
}

static void test_ports_wanted(void **state)
{
	cleanup_free struct port_counter *ports = make_ports();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed parsed;
		struct rule *rule;
		size_t count;
		__u32 *keys;

		parsed_wanted(&parsed, cases[i].wanted);
		rule = parsed.ruleset.rules;
		count = stats_busiest(ports, rule->terms, rule->term_count, false, &keys);
		assert_non_null(keys);
		assert_int_equal(count, cases[i].count);
		assert_memory_equal(keys, cases[i].keys, count * sizeof(*keys));
		free(keys);
		parsed_clear(&parsed);
	}
}

/* Ports without packets come last, ordered by key. */
static void test_all_ports(void **state)
{
	cleanup_free struct port_counter *ports = make_ports();
	static const __u32 busy[] = { UDP(65535), 80, 23, 22, UDP(53), 0 };
	__u32 *keys;

	(void)state;
	assert_int_equal(stats_busiest(ports, NULL, 0, true, &keys), PORT_KEYS);
	assert_memory_equal(keys, busy, sizeof(busy));
	for (size_t i = ARRAY_SIZE(busy) + 1; i < PORT_KEYS; i++)
		assert_true(keys[i - 1] < keys[i] || i == ARRAY_SIZE(busy));
	assert_int_equal(keys[ARRAY_SIZE(busy)], 1);
	assert_int_equal(keys[PORT_KEYS - 1], UDP(65534));
	free(keys);
}

static void test_all_ports_wanted(void **state)
{
	static const __u32 expected[] = { 23, 22, 21, 24, UDP(21), UDP(22), UDP(23), UDP(24) };
	static const struct term wanted = { TRANSPORT_BOTH, 0, 21, 24 };
	cleanup_free struct port_counter *ports = make_ports();
	__u32 *keys;

	(void)state;
	assert_int_equal(stats_busiest(ports, &wanted, 1, true, &keys), ARRAY_SIZE(expected));
	assert_memory_equal(keys, expected, sizeof(expected));
	free(keys);
}

static void test_no_packets_no_ports(void **state)
{
	cleanup_free struct port_counter *ports = calloc(PORT_KEYS, sizeof(*ports));
	__u32 *keys;

	(void)state;
	ports[5].pass.bytes = 5; /* bytes without packets do not count */
	assert_int_equal(stats_busiest(ports, NULL, 0, false, &keys), 0);
	assert_non_null(keys);
	free(keys);
}

/* The order is by passed plus dropped packets, compared as 64 bits, then by key. */
static void test_order_by_packets_then_key(void **state)
{
	cleanup_free struct port_counter *ports = calloc(PORT_KEYS, sizeof(*ports));
	struct random random = { 1 };
	__u64 before = UINT64_MAX;
	__u32 *keys, last = 0;
	size_t count;

	(void)state;
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		ports[key].pass.packets = (__u64)random_below(&random, 3) << 32;
		ports[key].drop.packets = random_below(&random, 3);
	}
	count = stats_busiest(ports, NULL, 0, true, &keys);
	assert_int_equal(count, PORT_KEYS);
	for (size_t i = 0; i < count; i++) {
		__u64 now = ports[keys[i]].pass.packets + ports[keys[i]].drop.packets;

		assert_true(now < before || (now == before && keys[i] > last));
		before = now;
		last = keys[i];
	}
	free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports_wanted),
		cmocka_unit_test(test_all_ports),
		cmocka_unit_test(test_all_ports_wanted),
		cmocka_unit_test(test_no_packets_no_ports),
		cmocka_unit_test(test_order_by_packets_then_key),
	};

	return run_suite("busiest", tests);
}
