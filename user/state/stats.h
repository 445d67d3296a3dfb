/* SPDX-License-Identifier: GPL-2.0-only */
/* From counters to figures: pure functions over mapped memory. */
#ifndef STATS_H
#define STATS_H

#include "kernel/datapath_rules.h"

/* Of a port, or of several together. */
struct port_counter {
	struct tally pass;
	struct tally drop;
};

/* The figures of one interface at one moment. */
struct stats {
	struct port_counter *ports; /* PORT_KEYS of them */
	struct tally *rules; /* one for each rule of the ruleset */
	struct tally *limited; /* the same: what was over its limit */
	struct tally builtin[LINES_BUILTIN];
	struct port_counter total; /* of all lines, by verdict */
};

/*
 * Reads the counters, which are mapped (datapath_map_counters()). `gone` are rules of the
 * slot that is not active: those that `ruleset` no longer has count as removed. Returns 0
 * or -ENOMEM; free with stats_clear(), also after a failure.
 */
int stats_collect(const struct interface *iface, const struct ruleset *ruleset,
		  const struct stored_rule *gone, size_t gone_count, struct stats *stats);
void stats_clear(struct stats *stats);

/* Adds what the rules counted on an interface to counts[], one for each rule. */
void stats_rules(const struct interface *iface, const struct ruleset *ruleset,
		 struct tally *counts);

/*
 * Packets a second of a counter that grew from `before` to `now` in `seconds`;
 * 0 where it did not grow.
 */
double stats_rate(const struct tally *before, const struct tally *now, double seconds);

/* The packets of a port, whatever became of them. */
static inline __u64 port_packets(const struct port_counter *port)
{
	return port->pass.packets + port->drop.packets;
}

/*
 * The keys of nonzero ports (all ports where `all`) that `wanted` names (all where
 * wanted_count is 0), the busiest first. Returns how many; *keys is to be freed,
 * NULL where memory ended.
 */
size_t stats_busiest(const struct port_counter *ports, const struct term *wanted,
		     size_t wanted_count, bool all, __u32 **keys);

#endif
