/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling of events as they happen: on standard output, and to programs. */
#ifndef TELL_H
#define TELL_H

#include <jansson.h>
#include <signal.h>
#include <linux/types.h>
#include <stdbool.h>

#include "watch/hook.h"

struct teller {
	bool json; /* a line of JSON each; else one for people */
	struct hooks hooks; /* `program` may be NULL */
};

/* Set once it is to end: by SIGTERM or SIGINT, or since nobody reads any more. */
extern volatile sig_atomic_t tell_stopped;

/* Makes ready; -errno, having said why, where the program cannot be run. */
int tell_begin(const struct teller *teller);

/* Shows an event, which is freed (NULL: out of memory), and runs the program. */
void tell(struct teller *teller, json_t *event);

/*
 * Says what was not told since it was last asked: of drops and rejects, of other events,
 * and hooks that were not run (which it counts). Nothing where that is nothing.
 */
void tell_lost(struct teller *teller, __u64 drops, __u64 events);

#endif
