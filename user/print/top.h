/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of `top`: their selection, their order and their text. The screen is in main/. */
#ifndef TOP_H
#define TOP_H

#include "rules/ruleset.h"
#include "state/stats.h"

/* A port that saw packets. */
struct top_row {
	__u32 key;
	double passed; /* packets a second */
	double dropped; /* packets a second */
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

/* The name of an order, such as "rate". */
const char *top_order_name(enum top_order order);

/* The ports to show. */
struct top_filter {
	struct term terms[2];
	int count; /* 0: all ports */
};

/* Parses "22", "6000-6100/udp", "ssh", "tcp", or "" for all ports. Returns 0 or -EINVAL. */
int top_filter_parse(const char *text, struct top_filter *filter);

/*
 * Makes a row for each wanted port with packets. `now` and `before` have the counters of all
 * port keys, `before` from `seconds` ago; if it is NULL, rates are 0. Returns the number of
 * rows; *rows is to be freed, and NULL if out of memory.
 */
size_t top_rows(const struct port_counter *now, const struct port_counter *before,
		double seconds, const struct top_filter *filter, struct top_row **rows);

/* Sorts rows: largest first, or by port for TOP_PORT. */
void top_sort(struct top_row *rows, size_t count, enum top_order order);

/* The columns at which the parts of a bar begin, from 0; an empty part has no columns. */
struct top_bar {
	int passed;
	int dropped;
	int end;
};

#define TOP_LINE_MAX 512

/*
 * Formats a row, or the column names if `row` is NULL, as a line of at most `width` characters.
 * A narrow line has fewer columns; the bar takes the remaining width. `most` is the highest
 * rate shown, in packets a second.
 */
void top_line(const struct top_row *row, int width, double most, char line[TOP_LINE_MAX],
	      struct top_bar *bar);

#endif
