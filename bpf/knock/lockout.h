/* SPDX-License-Identifier: GPL-2.0-only */
/* Lockouts: sources whose attempts failed too often. */
#ifndef KNOCK_LOCKOUT_H
#define KNOCK_LOCKOUT_H

#include "base/clock.h"
#include "base/maps.h"
#include "portctl/flow.h"
#include "portctl/knock.h"

static __always_inline struct lockout_key lockout_key(const struct flow_key *flow)
{
	struct lockout_key key = { .family = flow->family };

	__builtin_memcpy(key.address, flow->remote, 8); /* IPv6: the /64 */
	return key;
}

static __always_inline bool is_locked_out(const struct flow_key *flow)
{
	struct lockout_key key = lockout_key(flow);
	struct lockout *lockout = bpf_map_lookup_elem(&lockouts, &key);

	return lockout && lockout->failures >= LOCKOUT_FAILURES &&
	       boot_now() - lockout->last < LOCKOUT_SECONDS * SECOND;
}

/* Counts a failed attempt. Returns whether the source is locked out by it. */
static __always_inline bool lockout_count_failure(const struct flow_key *flow)
{
	struct lockout_key key = lockout_key(flow);
	struct lockout *known = bpf_map_lookup_elem(&lockouts, &key);
	struct lockout first = { .last = boot_now(), .failures = 1 };

	if (!known || first.last - known->last > LOCKOUT_SECONDS * SECOND) {
		bpf_map_update_elem(&lockouts, &key, &first, BPF_ANY);
		return false;
	}
	known->last = first.last;
	return __sync_fetch_and_add(&known->failures, 1) + 1 == LOCKOUT_FAILURES;
}

#endif
