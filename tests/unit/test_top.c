// SPDX-License-Identifier: GPL-2.0-only
/* What `top` shows: its rows, their order, the filter, and lines of any width. */
#include "unit.h"

#include <errno.h>

#include "print/top.h"

static struct port_counter *counters(void)
{
	struct port_counter *ports = calloc(PORT_KEYS, sizeof(*ports));

	assert_non_null(ports);
	return ports;
}

static void test_rates_of_rows(void **state)
{
	struct port_counter *before = counters(), *now = counters();
	struct top_filter all = { 0 };
	struct top_row *rows;

	(void)state;
	now[22] = (struct port_counter){ { 100, 6000 }, { 0, 0 } };
	now[PORT_KEY_UDP + 53] = (struct port_counter){ { 10, 600 }, { 90, 5400 } };
	before[22].pass.packets = 80;
	before[PORT_KEY_UDP + 53].drop.packets = 50;
	assert_int_equal(top_rows(now, before, 2, &all, &rows), 2);
	assert_int_equal(rows[0].key, 22);
	assert_true(rows[0].passed == 10 && rows[0].dropped == 0);
	assert_int_equal(rows[1].key, PORT_KEY_UDP + 53);
	assert_true(rows[1].passed == 5 && rows[1].dropped == 20);
	free(rows);
	assert_int_equal(top_rows(now, NULL, 0, &all, &rows), 2);
	assert_true(rows[1].passed == 0 && rows[1].dropped == 0);
	free(rows);
	free(before);
	free(now);
}

static size_t count_wanted(const char *text)
{
	static const __u32 keys[] = { 22, 53, 6000, PORT_KEY_UDP + 53, PORT_KEY_UDP + 6050 };
	struct port_counter *now = counters();
	struct top_filter filter;
	struct top_row *rows;
	size_t count;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		now[keys[i]].pass.packets = 1;
	assert_int_equal(top_filter_parse(text, &filter), 0);
	count = top_rows(now, NULL, 0, &filter, &rows);
	free(rows);
	free(now);
	return count;
}

static void test_filter(void **state)
{
	struct top_filter filter = { .count = 7 };

	(void)state;
	assert_int_equal(count_wanted(""), 5);
	assert_int_equal(count_wanted("tcp"), 3);
	assert_int_equal(count_wanted("udp"), 2);
	assert_int_equal(count_wanted("53"), 2);
	assert_int_equal(count_wanted("53/udp"), 1);
	assert_int_equal(count_wanted("6000-6100"), 2);
	assert_int_equal(count_wanted("ssh"), 1);
	assert_int_equal(count_wanted("1"), 0);
	assert_int_equal(top_filter_parse("80abc", &filter), -EINVAL);
	assert_int_equal(top_filter_parse("gre", &filter), -EINVAL);
	assert_int_equal(top_filter_parse("65536", &filter), -EINVAL);
	assert_int_equal(filter.count, 7); /* unchanged on errors */
}

static void test_sort_orders(void **state)
{
	static const struct top_row rows[] = {
		{ 1, 5, 0, { { 900, 100 }, { 0, 0 } } },
		{ 2, 1, 9, { { 10, 5000 }, { 9, 0 } } },
		{ PORT_KEY_UDP + 1, 7, 1, { { 500, 200 }, { 1, 0 } } },
		{ 3, 0, 0, { { 1, 1 }, { 0, 0 } } },
	};
	static const __u32 expected[TOP_ORDERS][4] = {
		[TOP_RATE] = { 2, PORT_KEY_UDP + 1, 1, 3 },
		[TOP_PACKETS] = { 1, PORT_KEY_UDP + 1, 2, 3 },
		[TOP_BYTES] = { 2, PORT_KEY_UDP + 1, 1, 3 },
		[TOP_DROPPED] = { 2, PORT_KEY_UDP + 1, 1, 3 },
		[TOP_PORT] = { 1, PORT_KEY_UDP + 1, 2, 3 },
	};

	(void)state;
	for (enum top_order order = 0; order < TOP_ORDERS; order++) {
		struct top_row sorted[4];

		memcpy(sorted, rows, sizeof(sorted));
		top_sort(sorted, 4, order);
		for (int i = 0; i < 4; i++)
			assert_int_equal(sorted[i].key, expected[order][i]);
	}
	top_sort(NULL, 0, TOP_RATE);
}

/* A line is never longer than the width, and the bar lies within the line. */
static void test_line_fits_into_width(void **state)
{
	const struct top_row row = {
		PORT_KEY_UDP + 65535, 1e9, 1e9, { { ~0ull >> 1, ~0ull >> 1 }, { 1, 1 } }
	};
	size_t before = 0;

	(void)state;
	for (int width = -1; width < 600; width++) {
		char line[TOP_LINE_MAX], head[TOP_LINE_MAX];
		struct top_bar bar;

		top_line(NULL, width, 1, head, &bar);
		assert_int_equal(bar.end, 0);
		top_line(&row, width, 1, line, &bar);
		assert_true((int)strlen(line) <= (width < 0 ? 0 : width));
		assert_true(bar.passed <= bar.dropped && bar.dropped <= bar.end &&
			    bar.end <= (int)strlen(line));
		assert_true(strlen(head) >= before || width > 500);
		before = strlen(head);
	}
}

static void test_columns_by_width(void **state)
{
	const struct top_row row = { 22, 30, 10, { { 5, 6 }, { 7, 8 } } };
	char line[TOP_LINE_MAX];
	struct top_bar bar;

	(void)state;
	top_line(NULL, 20, 0, line, &bar);
	assert_string_equal(line, "PORT      DROPPED/S");
	top_line(&row, 20, 40, line, &bar);
	assert_string_equal(line, "22/tcp           10");
	top_line(NULL, 80, 0, line, &bar);
	assert_string_equal(
		line, "PORT      SERVICE       PASSED/S DROPPED/S      PACKETS          BYTES");
	top_line(&row, 111, 40, line, &bar);
	assert_int_equal(bar.dropped - bar.passed, 30);
	assert_int_equal(bar.end - bar.dropped, 10);
	assert_memory_equal(line + bar.passed, "+++", 3);
	assert_memory_equal(line + bar.dropped, "-", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates_of_rows),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_sort_orders),
		cmocka_unit_test(test_line_fits_into_width),
		cmocka_unit_test(test_columns_by_width),
	};

	return run_suite("top", tests);
}
