/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Printing. A renderer is a small table of functions over the same views; there
 * is one for people and one for programs. Nothing here collects anything.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <jansson.h>

#include "kernel/datapath.h"
#include "state/stats.h"

/* What `stats` shows of one interface. */
struct stats_view {
	const struct interface *iface;
	const struct stats *now;
	const struct stats *before; /* NULL: no rates */
	double seconds; /* between the two */
	const __u32 *keys; /* the ports to show, in order */
	size_t key_count;
	bool all; /* lines that counted nothing as well */
};

/* What `status` shows. */
struct status_view {
	const struct datapath *dp;
	const struct ruleset *ruleset;
	__u32 pending; /* seconds until a change is rolled back; 0: none waits */
	__u64 refused; /* flows that found no place in their table */
	bool timed; /* there are doors with sequences that change with the time, */
	bool served; /* and somebody makes them */
	bool saved; /* the saved ruleset is the running one */
};

/* One line of what was charged. `shown`: also when it counted nothing. */
struct line_view {
	const char *text;
	enum verdict verdict;
	const struct tally *tally;
	bool shown;
};

/* Calls back for each line of a view: rules, what was over their limits, built-in ones. */
void each_line(const struct stats_view *view, const struct ruleset *ruleset,
	       void (*call)(const struct line_view *line, void *data), void *data);

struct renderer {
	/* Interfaces in order, all judged by the same ruleset. */
	void (*stats)(FILE *out, const struct stats_view *views, size_t count,
		      const struct ruleset *ruleset);
	/* The rules with what they counted, counts[i] for rule i. */
	void (*list)(FILE *out, const struct ruleset *ruleset, const struct tally *counts);
	void (*status)(FILE *out, const struct status_view *view);
};

/*
 * Prints rows that are all alike, as {"KEY":[...]} or as a table whose columns are
 * called as the rows' keys.
 */
void print_rows(const char *key, const json_t *rows, bool json);

extern const struct renderer table_renderer;
extern const struct renderer json_renderer;

#endif
