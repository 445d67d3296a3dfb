// SPDX-License-Identifier: GPL-2.0-only
#include "print/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/names.h"
#include "state/ports.h"

#define BAR_MIN 10

const char *top_order_name(enum top_order order)
{
	static const char *const names[TOP_ORDERS] = {
		[TOP_RATE] = "rate",	   [TOP_PACKETS] = "packets", [TOP_BYTES] = "bytes",
		[TOP_DROPPED] = "dropped", [TOP_PORT] = "port",
	};

	return names[order];
}

int top_filter_parse(const char *text, struct top_filter *filter)
{
	const char *expected;
	struct top_filter read = { 0 };

	if (!strcmp(text, "tcp") || !strcmp(text, "udp")) {
		read.terms[read.count++] = (struct term){
			.transports = *text == 't' ? TRANSPORT_TCP : TRANSPORT_UDP,
			.last = 65535,
		};
	} else if (*text) {
		read.count = term_parse(text, strlen(text), read.terms, &expected);
		if (read.count < 1 || !read.terms[0].transports)
			return -EINVAL;
	}
	*filter = read;
	return 0;
}

static bool filter_matches(const struct top_filter *filter, __u32 key)
{
	for (int i = 0; i < filter->count; i++) {
		if (term_has_key(&filter->terms[i], key))
			return true;
	}
	return !filter->count;
}

size_t top_rows(const struct port_counter *now, const struct port_counter *before,
		double seconds, const struct top_filter *filter, struct top_row **rows)
{
	size_t count = 0, room = 0;

	*rows = NULL;
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		if ((!now[key].pass.packets && !now[key].drop.packets) ||
		    !filter_matches(filter, key) ||
		    array_reserve(rows, &room, count, sizeof(**rows)))
			continue;
		(*rows)[count] = (struct top_row){ .key = key, .total = now[key] };
		if (before) {
			(*rows)[count].passed =
				stats_rate(&before[key].pass, &now[key].pass, seconds);
			(*rows)[count].dropped =
				stats_rate(&before[key].drop, &now[key].drop, seconds);
		}
		count++;
	}
	return count;
}

static double value_of(const struct top_row *row, enum top_order order)
{
	switch (order) {
	case TOP_PACKETS:
		return row->total.pass.packets + row->total.drop.packets;
	case TOP_BYTES:
		return row->total.pass.bytes + row->total.drop.bytes;
	case TOP_DROPPED:
		return row->dropped;
	case TOP_PORT:
		return 0;
	default:
		return row->passed + row->dropped;
	}
}

/* Equal rows are sorted by packets, then by port. */
static int compare_rows(const void *left, const void *right, void *data)
{
	enum top_order order = *(enum top_order *)data;
	const struct top_row *a = left, *b = right;

	for (int turn = 0; turn < 2 && order != TOP_PORT; turn++) {
		double x = value_of(a, order), y = value_of(b, order);

		if (x != y)
			return x > y ? -1 : 1;
		order = TOP_PACKETS;
	}
	if (key_port(a->key) != key_port(b->key))
		return key_port(a->key) < key_port(b->key) ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

void top_sort(struct top_row *rows, size_t count, enum top_order order)
{
	if (count)
		qsort_r(rows, count, sizeof(*rows), compare_rows, &order);
}

static void port_cell(const struct top_row *row, char *cell, size_t size)
{
	snprintf(cell, size, "%u/%s", key_port(row->key), key_protocol(row->key));
}

static void service_cell(const struct top_row *row, char *cell, size_t size)
{
	snprintf(cell, size, "%s", service_name(row->key) ?: "-");
}

static void passed_cell(const struct top_row *row, char *cell, size_t size)
{
	snprintf(cell, size, "%.0f", row->passed);
}

static void dropped_cell(const struct top_row *row, char *cell, size_t size)
{
	snprintf(cell, size, "%.0f", row->dropped);
}

static void packets_cell(const struct top_row *row, char *cell, size_t size)
{
	snprintf(cell, size, "%.0f", value_of(row, TOP_PACKETS));
}

static void bytes_cell(const struct top_row *row, char *cell, size_t size)
{
	snprintf(cell, size, "%.0f", value_of(row, TOP_BYTES));
}

/* In their order on the screen. A narrow line leaves out the columns with the highest ranks. */
static const struct column {
	const char *name;
	int width; /* negative: left-aligned */
	int rank;
	void (*print)(const struct top_row *row, char *cell, size_t size);
} columns[] = {
	{ "PORT", -9, 0, port_cell },	    { "SERVICE", -12, 4, service_cell },
	{ "PASSED/S", 9, 2, passed_cell },  { "DROPPED/S", 9, 1, dropped_cell },
	{ "PACKETS", 12, 3, packets_cell }, { "BYTES", 14, 5, bytes_cell },
};

/* How many ranks fit into a line of `width` characters. */
static int ranks_for(int width)
{
	int ranks = 0;

	for (int rank = 0; rank < (int)ARRAY_SIZE(columns); rank++) {
		for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
			if (columns[i].rank == rank)
				width -= abs(columns[i].width) + 1;
		}
		if (width < -1)
			break;
		ranks = rank + 1;
	}
	return ranks;
}

static int part_of(double value, double most, int width)
{
	if (most <= 0)
		return 0;
	return value < most ? value / most * width + 0.5 : width;
}

static int add_bar(const struct top_row *row, int at, int width, double most, char *line,
		   struct top_bar *bar)
{
	int room = width - at - 1;
	int passed, dropped;

	if (!row || room < BAR_MIN)
		return at;
	passed = part_of(row->passed, most, room);
	dropped = part_of(row->dropped, most, room);
	if (dropped > room - passed)
		dropped = room - passed;
	bar->passed = at + 1;
	bar->dropped = bar->passed + passed;
	bar->end = bar->dropped + dropped;
	line[at] = ' ';
	memset(line + bar->passed, '+', passed);
	memset(line + bar->dropped, '-', dropped);
	return bar->end;
}

void top_line(const struct top_row *row, int width, double most, char line[TOP_LINE_MAX],
	      struct top_bar *bar)
{
	int ranks, at = 0;

	*bar = (struct top_bar){ 0 };
	if (width > TOP_LINE_MAX - 1)
		width = TOP_LINE_MAX - 1;
	ranks = ranks_for(width);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		char cell[64];

		if (columns[i].rank >= ranks)
			continue;
		if (row)
			columns[i].print(row, cell, sizeof(cell));
		at += snprintf(line + at, TOP_LINE_MAX - at, "%s%*.*s", at ? " " : "",
			       columns[i].width, abs(columns[i].width),
			       row ? cell : columns[i].name);
	}
	at = add_bar(row, at, width, most, line, bar);
	line[at < width ? at : width < 0 ? 0 : width] = 0;
}
