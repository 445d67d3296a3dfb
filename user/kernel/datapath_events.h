/* SPDX-License-Identifier: GPL-2.0-only */
/* Watching the events of the data path, each watcher through a ring buffer of its own. */
#ifndef DATAPATH_EVENTS_H
#define DATAPATH_EVENTS_H

#include "kernel/datapath.h"
#include "portctl/event.h"

/*
 * Reads, for each kind of event, how many were sent and how many were lost. Returns 0 or a
 * negative errno after saying why.
 */
int datapath_event_counts(const struct datapath *dp, struct event_count counts[EVENT_KINDS]);

struct watcher;

/*
 * Takes one of the MONITORS places for watchers; events are sent there from now on. `samples`
 * (at most 255) is the number of drops and rejects to report for each key and second. All
 * watchers share the highest number that any of them wanted. Returns 0 or a negative errno
 * after saying why: -EBUSY if all places are taken. Free with watcher_free().
 */
int datapath_watch(struct datapath *dp, __u32 samples, struct watcher **watcher);

/*
 * Waits at most `milliseconds` for events, and calls `call` for each. Returns the number of
 * events or a negative errno (-EINTR), and prints nothing.
 */
int watcher_wait(struct watcher *watcher, int milliseconds,
		 void (*call)(const struct event *event, void *data), void *data);

/*
 * Begins a new second of samples, if the last one is over. Call this about every second. If
 * several processes watch, one of them does the work.
 */
void watcher_refill(const struct watcher *watcher, const struct datapath *dp);

/* The active generation of the data path. */
__u32 watcher_generation(const struct watcher *watcher);

/* Whether `dp` is the data path that is watched. The last detach removes it. */
bool watcher_belongs(const struct watcher *watcher, const struct datapath *dp);

void watcher_free(struct watcher *watcher);

#endif
