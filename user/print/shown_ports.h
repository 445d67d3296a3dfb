/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which ports of an interface have a series of their own, and the sum of the rest.
 * No series ever goes backwards, and together they are what was counted:
 *
 * While there is room every port that saw a packet is shown. Then one that is not
 * shown takes the place of the least busy one only once it has more than twice its
 * packets, so that places change rarely. It begins at 0: what it had counted before
 * stays in the sum of the rest, and what the other had shown goes there.
 */
#ifndef SHOWN_PORTS_H
#define SHOWN_PORTS_H

#include "state/stats.h"

struct shown_port {
	__u32 key;
	struct port_counter value;
	struct port_counter base; /* of what was counted, what is in the sum of the rest */
};

/* All zero: nothing has been shown yet. */
struct shown_ports {
	struct shown_port *list;
	size_t count;
	struct port_counter others[2]; /* TCP, UDP */
};

/*
 * Goes on to these counters, showing `max` ports at most, in every call the same.
 * Where any goes backwards they are new ones, and the choice begins anew. Returns 0
 * or -ENOMEM.
 */
int shown_ports_update(struct shown_ports *shown, const struct port_counter *ports, size_t max);
void shown_ports_clear(struct shown_ports *shown);

#endif
