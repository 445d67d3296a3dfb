/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grants: who is let in through a door, and until when. They are earned, so a
 * flood cannot make one; where there is no room, the new one is refused.
 */
#ifndef KNOCK_GRANT_H
#define KNOCK_GRANT_H

#include "base/clock.h"
#include "base/maps.h"
#include "packet/subject.h"

/* A connection: its own port and the port key it came to; not 0, which is none. */
static __always_inline __u64 connection_of(const struct flow_key *flow)
{
	return (__u64)flow_port_key(flow) << 17 | 1 << 16 | bpf_ntohs(flow->remote_port);
}

static __always_inline __u64 present_window(void)
{
	return utc_now() / (WINDOW_SECONDS * SECOND);
}

static __always_inline struct grant_key grant_key(const struct flow_key *flow, __u32 door,
						  bool net)
{
	struct grant_key key = { .family = flow->family, .door = door };

	__builtin_memcpy(key.address, flow->remote, sizeof(key.address));
	if (net && flow->family == 6)
		__builtin_memset(key.address + 8, 0, 8);
	return key;
}

static __always_inline const struct door *door_at(__u32 slot, __u32 door)
{
	return &table[slot & 1].doors[(door - 1) & (MAX_DOORS - 1)];
}

static __always_inline struct door_counts *counts_of(__u32 door)
{
	__u32 index = (door - 1) & (MAX_DOORS - 1);

	return bpf_map_lookup_elem(&door_counts, &index);
}

static __always_inline struct grant *find_grant(const struct flow_key *flow, __u32 slot,
						__u32 door)
{
	struct grant_key key = grant_key(flow, door, door_at(slot, door)->flags & DOOR_NET);
	struct grant *grant = bpf_map_lookup_elem(&grants, &key);

	return grant && grant->deadline > boot_now() ? grant : NULL;
}

/*
 * Whether a packet is let in. A grant for one connection belongs to the first that
 * opens; the same may come again, since a SYN may be sent again. One that was open before
 * goes on as a reply, and has no use for it.
 */
static __always_inline bool is_granted(const struct subject *subject, __u32 slot, __u32 door)
{
	struct grant *grant = find_grant(&subject->flow, slot, door);
	__u64 connection = connection_of(&subject->flow), opener;

	if (!grant)
		return false;
	if (!(door_at(slot, door)->flags & DOOR_ONCE))
		return true;
	opener = *(volatile __u64 *)&grant->opener;
	if (!opener && subject->touches && purpose != PURPOSE_EXPLAIN)
		opener = __sync_val_compare_and_swap(&grant->opener, 0, connection);
	return opener ? opener == connection : subject->touches;
}

struct moment {
	__u64 now; /* since boot */
	__u64 window;
};

/* One that remembers a window which could still be repeated stays. */
static long remove_ended(void *map, const struct grant_key *key, struct grant *grant,
			 struct moment *moment)
{
	if (grant->deadline <= moment->now && grant->window + 1 < moment->window)
		bpf_map_delete_elem(map, key);
	return 0;
}

/* The last window that this source used at this door, or 0. */
static __always_inline __u64 used_window(const struct flow_key *flow, __u32 slot, __u32 door)
{
	struct grant_key key = grant_key(flow, door, door_at(slot, door)->flags & DOOR_NET);
	struct grant *grant = bpf_map_lookup_elem(&grants, &key);

	return grant ? grant->window : 0;
}

/* When a grant of so many seconds ends; whoever has a longer one does not lose it. */
static __always_inline __u64 deadline_after(__u32 seconds, const struct grant *known)
{
	__u64 deadline = boot_now() + seconds * SECOND;

	return known && known->deadline > deadline ? known->deadline : deadline;
}

/*
 * What opens a door, for so many seconds; grants that ended make room. `window` is
 * the one whose sequence it was, at other doors 0.
 */
static __always_inline bool make_grant(const struct flow_key *flow, __u32 slot, __u32 door,
				       __u32 seconds, __u64 window)
{
	const struct door *opened = door_at(slot, door);
	struct grant_key key = grant_key(flow, door, opened->flags & DOOR_NET);
	struct moment moment = { boot_now(), present_window() };
	struct grant grant = {
		.deadline = deadline_after(seconds, bpf_map_lookup_elem(&grants, &key)),
		.window = window,
	};

	if (!bpf_map_update_elem(&grants, &key, &grant, BPF_ANY))
		return true;
	bpf_for_each_map_elem(&grants, remove_ended, &moment, 0);
	return !bpf_map_update_elem(&grants, &key, &grant, BPF_ANY);
}

/* Whether there was one; what it remembers of windows stays. */
static __always_inline bool remove_grant(const struct flow_key *flow, __u32 slot, __u32 door)
{
	struct grant_key key = grant_key(flow, door, door_at(slot, door)->flags & DOOR_NET);
	struct grant *grant = find_grant(flow, slot, door);

	if (!grant)
		return false;
	if (!grant->window)
		return !bpf_map_delete_elem(&grants, &key);
	grant->deadline = 0;
	return true;
}

#endif
