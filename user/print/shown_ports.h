/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chooses which ports of an interface get a series of their own; the other ports are added up
 * in one series. No series ever decreases, and their sum is always what was counted.
 *
 * While there is room, every port with a packet is shown. After that a port replaces the least
 * busy shown port only if it has more than twice as many packets, so that the choice changes
 * rarely. A new series begins at 0: its earlier packets stay in the sum of the others, and the
 * packets of the replaced port move there.
 */
#ifndef SHOWN_PORTS_H
#define SHOWN_PORTS_H

#include "state/stats.h"

struct shown_port {
	__u32 key;
	struct port_counter value; /* of its series */
	struct port_counter base; /* the part of its counter that is in `others` */
};

/* Initialise with zeros. */
struct shown_ports {
	struct shown_port *list;
	size_t count;
	struct port_counter others[2]; /* TCP, UDP */
};

/*
 * Updates the series from new counters (one for each port key). Shows at most `max` ports,
 * which must be the same in each call. If a counter has decreased, the counters were reset and
 * the choice starts again. Returns 0 or -ENOMEM.
 */
int shown_ports_update(struct shown_ports *shown, const struct port_counter *ports, size_t max);
void shown_ports_clear(struct shown_ports *shown);

#endif
