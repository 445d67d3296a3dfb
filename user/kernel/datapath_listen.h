/* SPDX-License-Identifier: GPL-2.0-only */
/* Being told by the kernel of sockets that begin or cease to listen. */
#ifndef DATAPATH_LISTEN_H
#define DATAPATH_LISTEN_H

#include <linux/types.h>

#include "portctl.h"

struct listen_watch;

/*
 * Begins, for the network namespace this process is in; ends with the process.
 * Returns 0 or a negative errno and says nothing. Free with listen_watch_free().
 */
int listen_watch_open(struct listen_watch **watch);

/*
 * Waits at most so many milliseconds, and calls back for each event. Returns how many
 * there were, or a negative errno (-EINTR) and says nothing.
 */
int listen_watch_wait(struct listen_watch *watch, int milliseconds,
		      void (*call)(const struct socket_event *event, void *data), void *data);
void listen_watch_free(struct listen_watch *watch);

#endif
