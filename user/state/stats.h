/* SPDX-License-Identifier: GPL-2.0-only */
/* From counters to figures. These functions read mapped memory, and make no system calls. */
#ifndef STATS_H
#define STATS_H

#include "kernel/datapath_rules.h"
#include "portctl/counters.h"
#include "portctl/entry.h"

/* What passed and what was dropped, of one port or of several together. */
struct port_counter {
	struct tally pass;
	struct tally drop;
};

/* The figures of one interface at one moment. */
struct stats {
	struct port_counter *ports; /* PORT_KEYS of them */
	struct tally *rules; /* one for each rule of the ruleset */
	struct tally *limited; /* one for each rule: packets over its limit */
	struct tally builtin[LINES_BUILTIN]; /* the built-in lines */
	struct port_counter total; /* of all lines, by their verdict */
};

/*
 * Reads the counters of an interface, which must be mapped (datapath_map_counters()). `gone`
 * are the rules of the slot that is not active. The counts of those whose line `ruleset` does
 * not use are added to the "removed" lines. Returns 0 or -ENOMEM, and prints nothing. Free with
 * stats_clear(), also after a failure.
 */
int stats_collect(const struct interface *iface, const struct ruleset *ruleset,
		  const struct stored_rule *gone, size_t gone_count, struct stats *stats);
void stats_clear(struct stats *stats);

/* Adds what each rule has counted on an interface to counts[], which has one for each rule. */
void stats_rules(const struct interface *iface, const struct ruleset *ruleset,
		 struct tally *counts);

/* The packets a second of a counter that went from `before` to `now`; 0 if it did not grow. */
double stats_rate(const struct tally *before, const struct tally *now, double seconds);

/* The packets of a port, passed and dropped. */
static inline __u64 port_packets(const struct port_counter *port)
{
	return port->pass.packets + port->drop.packets;
}

/*
 * Lists port keys, the busiest first: those with packets (or, with `all`, without packets too)
 * that a term of `wanted` names (any, if wanted_count is 0). Returns how many. Free *keys, which
 * is NULL if there was no memory.
 */
size_t stats_busiest(const struct port_counter *ports, const struct term *wanted,
		     size_t wanted_count, bool all, __u32 **keys);

#endif
