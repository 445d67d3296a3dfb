/* SPDX-License-Identifier: GPL-2.0-only */
/* What `top` shows, without the screen: rows, their order, and their text. */
#ifndef TOP_H
#define TOP_H

#include "rules/ruleset.h"
#include "state/stats.h"

/* A port that saw packets. */
struct top_row {
	__u32 key;
	double passed; /* packets a second */
	double dropped;
	struct port_counter total;
};

enum top_order {
	TOP_RATE,
	TOP_PACKETS,
	TOP_BYTES,
	TOP_DROPPED,
	TOP_PORT,
	TOP_ORDERS,
};

/* "rate", "packets", ... */
const char *top_order_name(enum top_order order);

/* Which ports are wanted: all where `count` is 0. */
struct top_filter {
	struct term terms[2];
	int count;
};

/* Reads "22", "6000-6100/udp", "ssh", "tcp" or nothing. Returns 0 or -EINVAL. */
int top_filter_parse(const char *text, struct top_filter *filter);

/*
 * The ports that have counted, from all of them now and (NULL: not known) `seconds`
 * ago. Returns how many; *rows is to be freed, NULL where memory ended.
 */
size_t top_rows(const struct port_counter *now, const struct port_counter *before,
		double seconds, const struct top_filter *filter, struct top_row **rows);

/* Largest first, ports in their own order. */
void top_sort(struct top_row *rows, size_t count, enum top_order order);

/* Where colours change in a line: the bar's halves. Columns from 0; empty: from == to. */
struct top_bar {
	int passed;
	int dropped;
	int end;
};

#define TOP_LINE_MAX 512

/*
 * A row, or with NULL the names of the columns, as a line of `width` columns at most:
 * the less room the fewer columns, and the bar takes what is left. `most` is the
 * highest rate shown, in packets a second.
 */
void top_line(const struct top_row *row, int width, double most, char line[TOP_LINE_MAX],
	      struct top_bar *bar);

#endif
