/* SPDX-License-Identifier: GPL-2.0-only */
/* Events of sockets that start or stop to listen, as a program in the kernel reports them. */
#ifndef DATAPATH_LISTEN_H
#define DATAPATH_LISTEN_H

#include <linux/types.h>

#include "portctl/socket.h"

struct listen_watch;

/*
 * Starts to watch the sockets of this network namespace. Returns 0 or a negative errno, and
 * prints nothing. Free with listen_watch_free(); the end of the process stops the watch as well.
 */
int listen_watch_open(struct listen_watch **watch);

/*
 * Waits at most `milliseconds` for events, and calls `call` for each. Returns the number of
 * events or a negative errno (-EINTR), and prints nothing.
 */
int listen_watch_wait(struct listen_watch *watch, int milliseconds,
		      void (*call)(const struct socket_event *event, void *data), void *data);
void listen_watch_free(struct listen_watch *watch);

#endif
