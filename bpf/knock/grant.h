/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grants: which sources a door lets in, and until when. Only a complete knock or the command
 * makes a grant, so a flood cannot. If there is no room, a new grant is refused.
 */
#ifndef KNOCK_GRANT_H
#define KNOCK_GRANT_H

#include "base/clock.h"
#include "base/maps.h"
#include "knock/door.h"
#include "packet/headers.h"
#include "portctl/knock.h"

/* A connection: the port key it came to and its source port. Never 0. */
static __always_inline __u64 connection_of(const struct flow_key *flow)
{
	return (__u64)flow_port_key(flow) << 17 | 1 << 16 | bpf_ntohs(flow->remote_port);
}

/* The number of the current window of timed doors. */
static __always_inline __u64 present_window(void)
{
	return utc_now() / (WINDOW_SECONDS * SECOND);
}

/* The key of the grant of a source; with `net`, of the /64 of an IPv6 source. */
static __always_inline struct grant_key grant_key(const struct flow_key *flow, __u32 door,
						  bool net)
{
	struct grant_key key = { .family = flow->family, .door = door };

	__builtin_memcpy(key.address, flow->remote, sizeof(key.address));
	if (net && flow->family == 6)
		__builtin_memset(key.address + 8, 0, 8);
	return key;
}

/* The grant of flow->remote for a door; NULL if there is none or it has ended. */
static __always_inline struct grant *find_grant(const struct flow_key *flow, __u32 slot,
						__u32 door)
{
	struct grant_key key = grant_key(flow, door, door_at(slot, door)->flags & DOOR_NET);
	struct grant *grant = bpf_map_lookup_elem(&grants, &key);

	return grant && grant->deadline > boot_now() ? grant : NULL;
}

/*
 * Whether a grant lets a packet in. A grant for one connection (DOOR_ONCE) belongs to the first
 * connection that opens; its SYN may be sent again. A connection that was open before passes as
 * a reply and does not use the grant.
 */
static __always_inline bool is_granted(const struct headers *headers, __u32 slot, __u32 door)
{
	struct grant *grant = find_grant(&headers->flow, slot, door);
	__u64 connection = connection_of(&headers->flow), opener;

	if (!grant)
		return false;
	if (!(door_at(slot, door)->flags & DOOR_ONCE))
		return true;
	opener = READ_ONCE(grant->opener);
	if (!opener && headers->touches && purpose != PURPOSE_EXPLAIN)
		opener = __sync_val_compare_and_swap(&grant->opener, 0, connection);
	return opener ? opener == connection : headers->touches;
}

struct moment {
	__u64 now; /* nanoseconds since boot */
	__u64 window; /* of timed doors */
};

/* bpf_for_each_map_elem() calls it. A grant whose last window could be used again stays. */
static long remove_ended(void *map, const struct grant_key *key, struct grant *grant,
			 struct moment *moment)
{
	if (grant->deadline <= moment->now && grant->window + 1 < moment->window)
		bpf_map_delete_elem(map, key);
	return 0;
}

/* The last window that flow->remote used at a door; 0: none. */
static __always_inline __u64 used_window(const struct flow_key *flow, __u32 slot, __u32 door)
{
	struct grant_key key = grant_key(flow, door, door_at(slot, door)->flags & DOOR_NET);
	struct grant *grant = bpf_map_lookup_elem(&grants, &key);

	return grant ? grant->window : 0;
}

/* The deadline of a grant made now for `seconds`. A later deadline of the source is kept. */
static __always_inline __u64 deadline_after(__u32 seconds, const struct grant *known)
{
	__u64 deadline = boot_now() + seconds * SECOND;

	return known && known->deadline > deadline ? known->deadline : deadline;
}

/*
 * Opens a door for flow->remote; false if there is no room, even after ended grants were
 * removed. `window` is the window whose sequence was used; 0 if the door is not timed.
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

/* Ends a grant; false if there was none. The last window stays, so it cannot be used again. */
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
