// SPDX-License-Identifier: GPL-2.0-only
/* shown_ports_update(): which ports have their own series. No sum may lose packets. */
#include "unit.h"

#include "random.h"
#include "print/shown_ports.h"

#define UDP(port) (PORT_KEY_UDP + (port))

static struct port_counter *ports;

static int setup(void **state)
{
	(void)state;
	ports = calloc(PORT_KEYS, sizeof(*ports));
	return !ports;
}

static int teardown(void **state)
{
	(void)state;
	free(ports);
	return 0;
}

/* Counts packets of 100 bytes; every third is dropped. */
static void count(__u32 key, __u64 packets)
{
	ports[key].pass.packets += packets - packets / 3;
	ports[key].pass.bytes += (packets - packets / 3) * 100;
	ports[key].drop.packets += packets / 3;
	ports[key].drop.bytes += packets / 3 * 100;
}

static const struct shown_port *find(const struct shown_ports *shown, __u32 key)
{
	for (size_t i = 0; i < shown->count; i++) {
		if (shown->list[i].key == key)
			return &shown->list[i];
	}
	return NULL;
}

static void add(__u64 sums[4], const struct port_counter *counter)
{
	sums[0] += counter->pass.packets;
	sums[1] += counter->pass.bytes;
	sums[2] += counter->drop.packets;
	sums[3] += counter->drop.bytes;
}

/* For each protocol, the shown ports and the others add up to the counters. */
static void assert_sums(const struct shown_ports *shown)
{
	__u64 counted[2][4] = { 0 }, sums[2][4] = { 0 };

	for (__u32 key = 0; key < PORT_KEYS; key++)
		add(counted[key >= PORT_KEY_UDP], &ports[key]);
	for (size_t i = 0; i < shown->count; i++)
		add(sums[shown->list[i].key >= PORT_KEY_UDP], &shown->list[i].value);
	add(sums[0], &shown->others[0]);
	add(sums[1], &shown->others[1]);
	assert_memory_equal(counted, sums, sizeof(sums));
}

static void assert_grew(const struct port_counter *before, const struct port_counter *now)
{
	assert_true(now->pass.packets >= before->pass.packets);
	assert_true(now->pass.bytes >= before->pass.bytes);
	assert_true(now->drop.packets >= before->drop.packets);
	assert_true(now->drop.bytes >= before->drop.bytes);
}

static void update(struct shown_ports *shown, size_t max)
{
	assert_int_equal(shown_ports_update(shown, ports, max), 0);
	assert_true(shown->count <= max);
	assert_sums(shown);
}

static void test_all_ports_fit(void **state)
{
	struct shown_ports shown = { 0 };

	(void)state;
	update(&shown, 3);
	assert_int_equal(shown.count, 0);
	count(22, 10);
	update(&shown, 3);
	count(UDP(53), 1);
	count(0, 5);
	update(&shown, 3);
	assert_int_equal(shown.count, 3);
	assert_memory_equal(&find(&shown, 0)->value, &ports[0], sizeof(*ports));
	assert_memory_equal(&find(&shown, UDP(53))->value, &ports[UDP(53)], sizeof(*ports));
	assert_int_equal(shown.others[0].pass.packets + shown.others[1].pass.packets, 0);
	shown_ports_clear(&shown);
}

/* The busiest ports come first; later, a port replaces one only with over twice its packets. */
static void test_busier_port_replaces_another(void **state)
{
	struct shown_ports shown = { 0 };

	(void)state;
	count(1, 100);
	count(2, 50);
	count(3, 10);
	update(&shown, 2);
	assert_non_null(find(&shown, 1));
	assert_non_null(find(&shown, 2));
	assert_int_equal(port_packets(&shown.others[0]), 10);
	count(3, 90); /* 100 is not more than twice 50 */
	update(&shown, 2);
	assert_null(find(&shown, 3));
	count(3, 1);
	update(&shown, 2);
	assert_null(find(&shown, 2));
	/* Its series begins at 0. Its earlier packets, and those of port 2, are "other". */
	assert_int_equal(port_packets(&find(&shown, 3)->value), 0);
	assert_int_equal(port_packets(&shown.others[0]), 101 + 50);
	count(3, 7);
	update(&shown, 2);
	assert_int_equal(port_packets(&find(&shown, 3)->value), 7);
	assert_int_equal(port_packets(&shown.others[0]), 101 + 50);
	shown_ports_clear(&shown);
}

/* Counters that were reset, as after detaching and attaching again. */
static void test_counters_reset(void **state)
{
	struct shown_ports shown = { 0 };

	(void)state;
	count(1, 100);
	count(2, 50);
	count(3, 500);
	update(&shown, 1);
	memset(ports, 0, PORT_KEYS * sizeof(*ports));
	count(2, 60);
	update(&shown, 1);
	assert_int_equal(port_packets(&find(&shown, 2)->value), 60);
	/* The same for a port that is counted as "other". */
	count(3, 100);
	update(&shown, 1);
	assert_null(find(&shown, 3));
	ports[3] = (struct port_counter){ 0 };
	count(2, 1);
	update(&shown, 1);
	assert_int_equal(port_packets(&shown.others[0]), 0);
	shown_ports_clear(&shown);
}

static void test_no_port_shown(void **state)
{
	struct shown_ports shown = { 0 };

	(void)state;
	count(UDP(9), 4);
	update(&shown, 0);
	assert_int_equal(shown.count, 0);
	assert_int_equal(port_packets(&shown.others[1]), 4);
	shown_ports_clear(&shown);
}

/* Random traffic: a series that stays shown never decreases, and "other" neither. */
static void test_random_traffic_never_decreases(void **state)
{
	struct random random = { 1 };
	struct shown_ports shown = { 0 };
	unsigned int changes = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct port_counter others[2] = { shown.others[0], shown.others[1] };
		struct shown_port before[8];
		size_t before_count = shown.count;

		if (before_count)
			memcpy(before, shown.list, before_count * sizeof(*before));
		for (int i = 0; i < 5; i++)
			count(random_below(&random, 40) * (PORT_KEY_UDP / 20 - 1),
			      1 + random_below(&random, 1 << random_below(&random, 12)));
		update(&shown, 8);
		assert_grew(&others[0], &shown.others[0]);
		assert_grew(&others[1], &shown.others[1]);
		for (size_t i = 0; i < before_count; i++) {
			const struct shown_port *now = find(&shown, before[i].key);

			changes += !now;
			if (now)
				assert_grew(&before[i].value, &now->value);
		}
	}
	assert_true(changes > 0);
	shown_ports_clear(&shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_ports_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busier_port_replaces_another, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_counters_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_port_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_traffic_never_decreases, setup,
						teardown),
	};

	return run_suite("shown_ports", tests);
}
