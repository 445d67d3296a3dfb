/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What begins and ceases to listen, and what the outside sees change: told as it
 * happens (watch, monitor), or counted (export).
 */
#ifndef PORT_WATCH_H
#define PORT_WATCH_H

#include "watch/events.h"
#include "watch/tell.h"

struct port_watch;

/*
 * Makes one for the network namespace this process is in. `iface`: the interface whose
 * rules count (NULL: all). `teller` is told of the events that are wanted, as soon as the
 * kernel tells; where that refuses, it is looked again and again, and that is said. Without
 * a teller events are counted as each turn finds them. Returns 0 or -ENOMEM, having said so.
 */
int port_watch_open(struct port_watch **watch, const char *iface, struct teller *teller,
		    const bool wanted[PORT_EVENTS]);

/*
 * Waits at most so many milliseconds for news, and looks if there are any or it is time to.
 * The first turn sees what is there to compare with. Returns 0 or a negative errno, having
 * said why; it may be called again.
 */
int port_watch_turn(struct port_watch *watch, int milliseconds);

/* How many events there were of each kind (enum port_event). */
const __u64 *port_watch_counts(const struct port_watch *watch);

void port_watch_free(struct port_watch *watch);

#endif
