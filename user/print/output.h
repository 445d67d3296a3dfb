/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output of stats, list and status. A renderer is a table of functions: one renderer prints
 * tables for people, the other JSON for programs. Nothing here collects data.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <jansson.h>

#include "kernel/datapath.h"
#include "portctl/counters.h"
#include "portctl/entry.h"
#include "state/stats.h"

/* The input of `stats` for one interface. */
struct stats_view {
	const struct interface *iface;
	const struct stats *now;
	const struct stats *before; /* NULL: no rates */
	double seconds; /* between `before` and `now` */
	const __u32 *keys; /* the ports to show, in order */
	size_t key_count;
	bool all; /* show lines without packets too */
};

/* The input of `status`. */
struct status_view {
	const struct datapath *dp;
	const struct ruleset *ruleset;
	__u32 pending; /* seconds until an unconfirmed change is rolled back; 0: none */
	__u64 refused; /* flows that did not fit the full flow table */
	bool timed; /* there are TOTP knocks */
	bool served; /* `portctl knock serve` runs, which TOTP knocks need */
	bool saved; /* the saved ruleset equals the running one */
};

/* One line and its counters. */
struct line_view {
	const char *text;
	enum verdict verdict;
	const struct tally *tally;
	bool shown; /* in JSON: show it even without packets */
};

/*
 * Calls `call` for each line of a view: each rule, packets over the limit of each rule that
 * has one, and the built-in lines. Out of memory: some lines are missing.
 */
void output_each_line(const struct stats_view *view, const struct ruleset *ruleset,
		      void (*call)(const struct line_view *line, void *data), void *data);

struct renderer {
	/* Prints the counters of interfaces, which all have the same ruleset. */
	void (*stats)(FILE *out, const struct stats_view *views, size_t count,
		      const struct ruleset *ruleset);
	/* Prints the rules with their counters: counts[i] for rule i. */
	void (*list)(FILE *out, const struct ruleset *ruleset, const struct tally *counts);
	void (*status)(FILE *out, const struct status_view *view);
};

/*
 * Prints an array of objects that all have the same keys: as JSON {"KEY":[...]}, or as a table
 * with a column for each key of the objects.
 */
void print_rows(const char *key, const json_t *rows, bool json);

extern const struct renderer table_renderer;
extern const struct renderer json_renderer;

#endif
