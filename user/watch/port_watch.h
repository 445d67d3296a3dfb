/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watches sockets that begin or stop listening, and the state of ports as seen from outside.
 * The events are reported as they happen (watch, monitor), or only counted (export).
 */
#ifndef PORT_WATCH_H
#define PORT_WATCH_H

#include "watch/events.h"
#include "watch/notify.h"

struct port_watch;

/*
 * Creates a watch for the current network namespace. `iface` is the interface whose rules
 * count; NULL means all. Events marked in `wanted` go to `notifier`; a note is printed if the
 * kernel cannot report sockets, so that they must be polled. If `notifier` is NULL, events
 * are only counted, `wanted` is unused, and every turn polls. Returns 0, or -ENOMEM with a
 * message.
 */
int port_watch_open(struct port_watch **watch, const char *iface, struct notifier *notifier,
		    const bool wanted[PORT_EVENTS]);

/*
 * Waits up to `milliseconds` for the kernel to report a socket, then polls if it did or if a
 * poll is due. The first turn reads the initial state and reports no events. Returns 0 or a
 * negative errno and prints the reason; after an error it may be called again.
 */
int port_watch_turn(struct port_watch *watch, int milliseconds);

/* The number of events of each kind so far, indexed by enum port_event. */
const __u64 *port_watch_counts(const struct port_watch *watch);

void port_watch_free(struct port_watch *watch);

#endif
