// SPDX-License-Identifier: GPL-2.0-only
/* Changes that wait to be confirmed, the kernel's timer that undoes them, and rolling back. */
#include <bpf/bpf.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "kernel/datapath_internal.h"
#include "kernel/fill.h"
#include "kernel/needs.h"
#include "kernel/pins.h"

#include "confirm.skel.h" /* needs struct control */

static int run_start_timer(const struct confirm_bpf *program)
{
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 1);

	if (bpf_prog_test_run_opts(bpf_program__fd(program->progs.start_timer), &opts))
		return -errno;
	return opts.retval ? -EIO : 0;
}

static int start_timer(const struct datapath *dp, struct confirm_bpf *program)
{
	char path[PATH_MAX];
	int err = pin_reuse(dp, NULL, "control", program->maps.data_control);

	if (!err)
		err = pin_reuse(dp, NULL, "way_back", program->maps.way_back);
	if (!err) {
		debug_programs(program->obj);
		err = confirm_bpf__load(program);
	}
	if (err)
		return err;
	pin_path(dp, NULL, "way_back", path);
	if (bpf_obj_pin(bpf_map__fd(program->maps.way_back), path) && errno != EEXIST)
		return -errno;
	return run_start_timer(program);
}

int way_back_prepare(struct datapath *dp, __u32 generation, __u32 seconds)
{
	struct confirm_bpf *program = confirm_bpf__open();
	int err = program ? 0 : -errno;

	dp->control->deadline = since_boot() + seconds * 1000000000ull;
	__atomic_store_n(&dp->control->pending, generation, __ATOMIC_RELEASE);
	if (!err)
		err = start_timer(dp, program);
	confirm_bpf__destroy(program);
	return err;
}

void way_back_forget(struct datapath *dp)
{
	if (dp->control->pending != dp->control->generation)
		dp->control->pending = 0;
}

__u32 datapath_pending(const struct datapath *dp)
{
	__u64 now = since_boot();

	if (!dp->control || !dp->control->pending ||
	    dp->control->pending != dp->control->generation)
		return 0;
	if (dp->control->deadline <= now)
		return 1;
	return (dp->control->deadline - now + 999999999) / 1000000000;
}

int datapath_check_pending(const struct datapath *dp)
{
	__u32 seconds = datapath_pending(dp);

	if (!seconds)
		return 0;
	return fail(-EBUSY,
		    "a change waits to be confirmed (%u s left): run \"portctl confirm\" or "
		    "\"portctl rollback\" first",
		    seconds);
}

/* Takes the pending change away from the timer. Returns false if nothing is pending any more. */
static bool take_pending(struct datapath *dp)
{
	__u32 pending = dp->control ? dp->control->pending : 0;

	return pending && pending == dp->control->generation &&
	       __atomic_compare_exchange_n(&dp->control->pending, &pending, 0, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

int way_back_if_late(struct datapath *dp)
{
	__u32 generation = dp->control->generation;

	if (since_boot() < dp->control->deadline || !take_pending(dp))
		return 0;
	__atomic_store_n(&dp->control->generation, generation + 1, __ATOMIC_RELEASE);
	return fail(-ETIME,
		    "the time to confirm ended before the change was made: rolled back");
}

int datapath_confirm(struct datapath *dp)
{
	if (!take_pending(dp))
		return fail(-ENOENT, "no change waits to be confirmed%s",
			    dp->control && dp->control->rolled_back
				    ? ": if one did, its time was over and it was rolled back"
				    : "");
	return 0;
}

/* Whether there is a ruleset to go back to. */
static int check_previous(const struct datapath *dp, __u32 generation)
{
	cleanup_free struct stored_rule *rules = NULL;
	char path[PATH_MAX];
	size_t count;
	int err;

	if (!generation)
		return fail(-ENOENT, "there is no ruleset before this one to go back to");
	err = datapath_previous(dp, &rules, &count);
	if (err)
		return err;
	/* Slot 0 has no stored ruleset until it is filled first: its ruleset has no rules. */
	pin_path(dp, NULL, "ruleset1", path);
	if (!(generation & 1) && access(path, F_OK))
		return fail(-ENOENT, "the ruleset before this one is not there any more");
	return 0;
}

int datapath_rollback(struct datapath *dp, int (*check)(const struct datapath *dp))
{
	__u32 generation = dp->control ? dp->control->generation : 0;
	bool waits = datapath_pending(dp);
	int err = check_previous(dp, generation);

	/* Going back from a change that waits is what keeps the administrator in: no check. */
	if (!err && check && !waits)
		err = check(dp);
	if (err)
		return err;
	err = retire_finish(dp) ?: slot_mend(dp, (generation + 1) & 1);
	if (err)
		return fail(err, "cannot go back: %s; nothing was changed",
			    datapath_reason(err));
	way_back_forget(dp);
	if (waits && !take_pending(dp)) /* the kernel's timer has just gone back */
		return 0;
	__atomic_store_n(&dp->control->generation, generation + 1, __ATOMIC_RELEASE);
	datapath_settle_in_child(dp);
	return 0;
}
