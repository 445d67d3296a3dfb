/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The metrics that `export` gives to Prometheus. metrics_collect() collects them and prints
 * nothing; metrics_print() prints them and collects nothing.
 */
#ifndef METRICS_H
#define METRICS_H

#include "portctl/counters.h"
#include "portctl/entry.h"
#include "portctl/event.h"
#include "portctl/knock.h"
#include "print/exposition.h"
#include "print/shown_ports.h"
#include "state/ports.h"
#include "state/snapshot.h"
#include "watch/events.h"

struct line_metrics {
	char *text;
	enum verdict verdict;
	struct tally tally;
};

/* A port with a listener that other hosts can address. */
struct listening_metrics {
	__u32 key;
	enum port_state state; /* as seen by a source that no rule names */
};

struct interface_metrics {
	const struct interface *iface;
	const struct shown_ports *ports;
	struct line_metrics *lines; /* each pair of text and verdict once */
	size_t line_count;
	size_t line_room;
	struct listening_metrics *listening; /* sorted by key */
	size_t listening_count;
	size_t listening_room;
};

struct door_metrics {
	const char *name;
	struct door_counts counts;
	size_t grants; /* in force */
};

struct metrics {
	struct snapshot snapshot; /* the other members point into it */
	struct interface_metrics *interfaces;
	size_t interface_count;
	struct door_metrics *doors;
	size_t door_count;
	size_t lockouts;
	__u64 flows_refused;
	struct event_count events[EVENT_KINDS];
	__u64 port_events[PORT_EVENTS]; /* the caller sets them, from its port_watch */
	size_t rules;
	__u32 pending; /* seconds until an unconfirmed change is rolled back; 0: none */
	double seconds; /* how long collecting took */
};

/* State that must be kept from one collection to the next. */
struct metrics_history {
	struct shown_history {
		char name[IFNAMSIZ];
		time_t attached_at;
		struct shown_ports ports;
		struct outlook outlook; /* of the rules below */
		__u64 created; /* creation time of the data path; 0: no outlook yet */
		__u32 generation; /* of the rules */
		__u64 next_end; /* nanoseconds since boot when a rule expires; 0: none does */
	} * interfaces;
	size_t count;
};

/*
 * Collects all metrics, with at most `max_ports` ports for each interface. Returns 0 or a
 * negative errno and prints the reason. Call metrics_clear() in both cases; `history` goes on
 * to the next call.
 */
int metrics_collect(struct metrics *metrics, struct metrics_history *history, size_t max_ports);

/*
 * Collects the listening ports of each interface in `metrics`, at most `max_ports` for each.
 * Returns 0 or a negative errno and prints nothing. metrics_collect() calls this.
 */
int metrics_collect_listening(struct metrics *metrics, struct metrics_history *history,
			      size_t max_ports);
void metrics_clear(struct metrics *metrics);
void metrics_history_clear(struct metrics_history *history);

/* Prints all metrics in one of the formats. */
void metrics_print(FILE *out, const struct metrics *metrics, enum exposition exposition);

#endif
