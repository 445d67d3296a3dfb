/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `export` gives to Prometheus: collected by metrics_collect(), which prints
 * nothing, and printed by metrics_print(), which collects nothing.
 */
#ifndef METRICS_H
#define METRICS_H

#include "watch/events.h"
#include "state/ports.h"
#include "print/shown_ports.h"
#include "state/snapshot.h"

struct line_metrics {
	char *text;
	enum verdict verdict;
	struct tally tally;
};

/* A port that something listens on for others than this host. */
struct listening_metrics {
	__u32 key;
	enum port_state state; /* for somebody whom no rule names */
};

struct interface_metrics {
	const struct interface *iface;
	const struct shown_ports *ports;
	struct line_metrics *lines; /* no two with the same text and verdict */
	size_t line_count;
	size_t line_room;
	struct listening_metrics *listening; /* by key */
	size_t listening_count;
	size_t listening_room;
};

struct door_metrics {
	const char *name;
	struct door_counts counts;
	size_t grants; /* that have not ended */
};

struct metrics {
	struct snapshot snapshot; /* what the others point into */
	struct interface_metrics *interfaces;
	size_t interface_count;
	struct door_metrics *doors;
	size_t door_count;
	size_t lockouts;
	__u64 flows_refused;
	struct event_count events[EVENT_KINDS];
	__u64 port_events[PORT_EVENTS]; /* counted by whoever collects again and again */
	size_t rules;
	__u32 pending; /* seconds until a change is rolled back; 0: none waits */
	double seconds; /* that collecting took */
};

/* What has to be remembered from one collection to the next. */
struct metrics_history {
	struct shown_history {
		char name[IFNAMSIZ];
		time_t attached_at;
		struct shown_ports ports;
		struct outlook outlook; /* by the rules, as they were judged last, */
		__u64 created; /* and which rules those were; 0: not yet */
		__u32 generation;
		__u64 next_end; /* nanoseconds since boot: when one of them ends; 0: none */
	} * interfaces;
	size_t count;
};

/*
 * Collects all of it, `max_ports` ports of an interface at most. Returns 0 or a
 * negative errno, having said why. Clear, also after a failure; history lives longer.
 */
int metrics_collect(struct metrics *metrics, struct metrics_history *history, size_t max_ports);

/*
 * The part of it that is about what listens, for each interface of `metrics`; at most
 * `max_ports` of one. Returns 0 or a negative errno.
 */
int metrics_collect_listening(struct metrics *metrics, struct metrics_history *history,
			      size_t max_ports);
void metrics_clear(struct metrics *metrics);
void metrics_history_clear(struct metrics_history *history);

/* The two formats that Prometheus reads. */
enum exposition {
	EXPOSITION_TEXT, /* 0.0.4 */
	EXPOSITION_OPENMETRICS, /* 1.0.0 */
	EXPOSITIONS,
};

/* Which of them an Accept header (NULL: there is none) asks for. */
enum exposition exposition_choose(const char *accept);
const char *exposition_type(enum exposition exposition);

void metrics_print(FILE *out, const struct metrics *metrics, enum exposition exposition);

#endif
