// SPDX-License-Identifier: GPL-2.0-only
#include "cli/show.h"

#include <sys/param.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/counters.h"
#include "kernel/datapath_knock.h"
#include "kernel/datapath_rules.h"
#include "print/output.h"
#include "state/saved.h"

static const struct renderer *renderer(bool json)
{
	return json ? &json_renderer : &table_renderer;
}

int show_list(struct datapath *dp, const struct ruleset *ruleset, bool json)
{
	cleanup_free struct tally *counts = calloc(ruleset->count + 1, sizeof(*counts));
	__u32 lines = LINE_FIRST_RULE;
	int err;

	for (size_t i = 0; i < ruleset->count; i++)
		lines = MAX(lines, ruleset->rules[i].line + 1);
	err = datapath_map_counters(dp, lines);
	if (err)
		return err;
	if (!counts)
		return out_of_memory();
	for (size_t n = 0; n < dp->count; n++)
		stats_rules(&dp->interfaces[n], ruleset, counts);
	datapath_unlock(dp);
	renderer(json)->list(stdout, ruleset, counts);
	return 0;
}

/* Finds out whether there are TOTP knocks, and whether "knock serve" runs for all of them. */
static void look_at_timed(struct status_view *view)
{
	view->served = true;
	for (size_t i = 0; i < view->ruleset->count; i++) {
		const struct rule *rule = &view->ruleset->rules[i];

		if (!rule->knock || !rule->knock->secret)
			continue;
		view->timed = true;
		view->served &= datapath_is_timed(view->dp, rule->door);
	}
}

int show_status(struct datapath *dp, bool json)
{
	struct status_view view = { .dp = dp };
	cleanup_ruleset struct ruleset ruleset;
	int err;

	ruleset_init(&ruleset);
	err = datapath_rules_in_force(dp, &ruleset)
		      ?: datapath_refused_flows(dp, &view.refused);
	if (err)
		return err;
	view.ruleset = &ruleset;
	view.pending = datapath_pending(dp);
	look_at_timed(&view);
	view.saved = saved_is_current(&ruleset);
	datapath_unlock(dp);
	renderer(json)->status(stdout, &view);
	return 0;
}
