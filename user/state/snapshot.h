/* SPDX-License-Identifier: GPL-2.0-only */
/* The running rules and what every interface has counted, at one moment. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "state/stats.h"

struct snapshot {
	struct datapath dp;
	struct ruleset ruleset;
	struct stats *stats; /* one for each interface */
	__u32 generation; /* of the rules; a rollback may have come since */
	struct timespec taken; /* CLOCK_MONOTONIC */
};

/*
 * Opens the datapath anew each time, so that what was attached or changed meanwhile
 * is seen. Returns 0 or a negative errno, having said why. Others may change things
 * again once it returns; snapshot_clear(), also after a failure.
 */
int snapshot_take(struct snapshot *snapshot);
void snapshot_clear(struct snapshot *snapshot);

#endif
