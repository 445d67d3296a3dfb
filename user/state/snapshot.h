/* SPDX-License-Identifier: GPL-2.0-only */
/* The running rules and the counters of every interface, at one moment. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "state/stats.h"

struct snapshot {
	struct datapath dp;
	struct ruleset ruleset;
	struct stats *stats; /* one for each interface */
	__u32 generation; /* of the rules; the kernel's timer may have gone back since */
	struct timespec taken; /* CLOCK_MONOTONIC */
};

/*
 * Takes a snapshot. Opens the data path anew each time, so that it sees what was attached or
 * changed meanwhile, and gives the lock back before it returns. Returns 0 or a negative errno
 * after saying why. Clear with snapshot_clear(), also after a failure.
 */
int snapshot_take(struct snapshot *snapshot);
void snapshot_clear(struct snapshot *snapshot);

#endif
