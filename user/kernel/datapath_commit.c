// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing the running ruleset. A change fills the slot that no packet looks at; then one store
 * makes that slot the active one. A process that is killed anywhere in here leaves the old
 * ruleset or the new one.
 */
#include <bpf/bpf.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "kernel/datapath_internal.h"
#include "kernel/fill.h"
#include "kernel/needs.h"
#include "kernel/pins.h"
#include "compile/lines.h"

/*
 * Empties the buckets of new rules, so that a new rule does not begin with the limit used up by
 * the rule that had its line before. No packet is charged to these lines meanwhile. Limits per
 * source need none of this: their buckets belong to the rule's `since`.
 */
static int clear_buckets(const struct datapath *dp, const struct interface *iface,
			 const struct ruleset *next)
{
	cleanup_close int buckets = pin_open(dp, iface->name, "buckets");
	__u64 due = 0;

	if (buckets < 0)
		return buckets;
	for (size_t i = 0; i < next->count; i++) {
		const struct rule *rule = &next->rules[i];

		if (!rule->since && (rule->limit.count || rule->door) &&
		    bpf_map_update_elem(buckets, &rule->line, &due, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int clear_all_buckets(const struct datapath *dp, const struct ruleset *next)
{
	int err = 0;

	for (size_t i = 0; i < dp->count && !err; i++)
		err = clear_buckets(dp, &dp->interfaces[i], next);
	return err;
}

/* New rules begin now. A rule with "for" that has expired begins again. */
static void begin_rules(struct ruleset *ruleset, __u64 now)
{
	__u64 utc = utc_now();

	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		rule->since = rule->since ?: utc;
		if (rule->seconds && rule->ends <= now)
			rule->ends = now + rule->seconds * 1000000000ull;
	}
}

/* Clears each door of `next` that no knock of `active` has. */
static int clear_doors(const struct datapath *dp, const struct ruleset *next,
		       const struct ruleset *active)
{
	bool in_use[MAX_DOORS + 1] = { true };
	int err = 0;

	for (size_t i = 0; i < active->count; i++)
		in_use[active->rules[i].door] = true;
	for (size_t i = 0; i < next->count && !err; i++) {
		if (!in_use[next->rules[i].door])
			err = door_clear(dp, next->rules[i].door);
	}
	return err;
}

static int prepare_slot(struct datapath *dp, unsigned int slot, struct ruleset *next)
{
	__u64 now = since_boot();
	cleanup_ruleset struct ruleset active;
	int err;

	ruleset_init(&active);
	err = stored_load(dp, !slot, &active) ?: slot_mend(dp, slot);
	if (!err)
		err = datapath_settle(dp);
	if (!err)
		err = retire_rules(dp, &active);
	ruleset_drop_ended(next, now);
	if (!err)
		err = assign_lines(next, &active);
	if (!err)
		err = clear_all_buckets(dp, next);
	begin_rules(next, now);
	if (!err)
		err = clear_doors(dp, next, &active);
	if (!err)
		err = stored_write_next(dp, slot, next);
	if (!err)
		err = slot_fill_all(dp, slot, next);
	return err;
}

int datapath_commit(struct datapath *dp, struct ruleset *next, __u32 seconds)
{
	int err = datapath_check_pending(dp) ?: datapath_create(dp);
	__u32 generation;

	if (err)
		return err;
	generation = dp->control->generation + 1;
	way_back_forget(dp);
	err = prepare_slot(dp, generation & 1, next);
	if (!err && seconds)
		err = way_back_prepare(dp, generation, seconds);
	if (err) {
		way_back_forget(dp);
		return fail(err, "cannot change the rules: %s; nothing was changed",
			    datapath_reason(err));
	}
	__atomic_store_n(&dp->control->generation, generation, __ATOMIC_RELEASE);
	stored_take_next(dp, generation & 1);
	err = seconds ? way_back_if_late(dp) : 0;
	datapath_settle_in_child(dp);
	return err;
}
