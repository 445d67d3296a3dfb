/* SPDX-License-Identifier: GPL-2.0-only */
/* Reporting events as they happen: on standard output, and to hook programs. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <jansson.h>
#include <signal.h>
#include <linux/types.h>
#include <stdbool.h>

#include "watch/hook.h"

struct notifier {
	bool json; /* print a line of JSON for each event, not a line of text */
	struct hooks hooks; /* `program` may be NULL */
};

/* Set by SIGTERM and SIGINT, and when standard output cannot be written any more. */
extern volatile sig_atomic_t notify_stopped;

/*
 * Installs the signal handlers, and drops the right to run programs if there is no hook.
 * Returns 0, or a negative errno if the hook program cannot be run; prints the reason.
 */
int notify_begin(const struct notifier *notifier);

/* Prints an event, runs the hook for it, and frees it. Ignores NULL (out of memory). */
void notify_event(struct notifier *notifier, json_t *event);

/*
 * Prints how many events were not reported: drops and rejects that were not sampled, other
 * events that were lost, and hooks that were not run since the last call. Prints nothing if
 * all three are zero.
 */
void notify_lost(struct notifier *notifier, __u64 drops, __u64 events);

#endif
