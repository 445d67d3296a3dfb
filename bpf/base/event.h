/* SPDX-License-Identifier: GPL-2.0-only */
/* Events for monitors. Usually there is none, so callers check is_watched() first. */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include "base/bucket.h"
#include "base/clock.h"
#include "base/maps.h"

static __always_inline void count_one(__u64 *count)
{
	__sync_fetch_and_add(count, 1);
}

static __always_inline bool is_watched(void)
{
	return unlikely(control.watchers);
}

/* Puts an event into the ring buffer of each monitor. */
__noinline int publish(const struct event *event)
{
	struct event_count *counts;
	bool lost = false;
	__u32 kind;

	if (!event)
		return 0;
	kind = event->kind;
	counts = bpf_map_lookup_elem(&event_counts, &kind);
	if (!counts)
		return 0;
	if (kind >= EVENT_ATTEMPT &&
	    !bucket_take(&counts->due, SECOND / EVENT_RATE, SECOND - SECOND / EVENT_RATE)) {
		count_one(&counts->lost);
		return 0;
	}
	for (__u32 i = 0; i < MONITORS; i++) {
		/* A copy: Linux 6.1 cannot bound a loop whose counter has its address taken. */
		__u32 index = i;
		void *ring = bpf_map_lookup_elem(&events, &index);

		if (ring && bpf_ringbuf_output(ring, (void *)event, sizeof(*event), 0))
			lost = true;
	}
	count_one(lost ? &counts->lost : &counts->sent);
	return 0;
}

/* Publishes an event of a packet from `flow->remote`; the caller has set the other fields. */
static __always_inline void publish_packet(struct xdp_md *ctx, enum event_kind kind, __u32 key,
					   const struct flow_key *flow, struct event *event)
{
	event->time = boot_now();
	event->kind = kind;
	event->ifindex = ctx->ingress_ifindex;
	event->key = key;
	event->family = flow->family;
	event->port = flow->remote_port;
	__builtin_memcpy(event->address, flow->remote, sizeof(event->address));
	publish(event);
}

/* Whether no more samples of a key are taken in this second. A flood checks nothing else. */
static __always_inline bool is_sampling_done(__u64 key)
{
	return sampling.keys[key] == SAMPLING_DONE;
}

/*
 * Whether to report a dropped packet of this key. If two CPUs check at once, one sample too
 * many can be taken.
 */
static __always_inline bool take_sample(__u32 key)
{
	__u64 index = key;
	__u32 taken;

	barrier_var(index);
	if (index >= KEYS)
		return false;
	taken = sampling.keys[index];
	barrier_var(taken); /* read once: a second read could be 255, and 255 + 1 is 0 */
	if (taken >= control.samples || sampling.count >= EVENT_RATE) {
		sampling.keys[index] = SAMPLING_DONE;
		return false;
	}
	sampling.keys[index] = taken + 1;
	sampling.count++;
	return true;
}

#endif
