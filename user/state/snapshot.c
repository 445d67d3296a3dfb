// SPDX-License-Identifier: GPL-2.0-only
#include "state/snapshot.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/counters.h"

void snapshot_clear(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->dp.count && snapshot->stats; i++)
		stats_clear(&snapshot->stats[i]);
	free(snapshot->stats);
	ruleset_clear(&snapshot->ruleset);
	datapath_close(&snapshot->dp);
}

static int collect_stats(struct snapshot *snapshot, const struct stored_rule *gone,
			 size_t gone_count)
{
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &snapshot->taken);
	snapshot->stats = calloc(snapshot->dp.count + 1, sizeof(*snapshot->stats));
	for (size_t i = 0; i < snapshot->dp.count && snapshot->stats && !err; i++)
		err = stats_collect(&snapshot->dp.interfaces[i], &snapshot->ruleset, gone,
				    gone_count, &snapshot->stats[i]);
	return err || !snapshot->stats ? out_of_memory() : 0;
}

int snapshot_take(struct snapshot *snapshot)
{
	cleanup_free struct stored_rule *gone = NULL;
	size_t gone_count;
	int err;

	*snapshot = (struct snapshot){ 0 };
	ruleset_init(&snapshot->ruleset);
	err = datapath_open(&snapshot->dp, DATAPATH_READ);
	if (!err && snapshot->dp.control)
		snapshot->generation = snapshot->dp.control->generation;
	if (!err)
		err = datapath_ruleset(&snapshot->dp, &snapshot->ruleset);
	if (!err)
		err = datapath_previous(&snapshot->dp, &gone, &gone_count);
	if (!err)
		err = datapath_map_counters(&snapshot->dp, ALL_COUNTERS);
	if (!err)
		err = collect_stats(snapshot, gone, gone_count);
	if (!err)
		datapath_unlock(&snapshot->dp); /* everything was read */
	return err;
}
