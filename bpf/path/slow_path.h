/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slow path: judge, count and answer any parsed packet. Also slow_exit(), for the rare work
 * after counting that the fast path leaves to it.
 */
#ifndef PATH_SLOW_PATH_H
#define PATH_SLOW_PATH_H

#include "base/event.h"
#include "packet/headers.h"
#include "packet/packet.h"
#include "verdict/charge.h"
#include "verdict/judge.h"
#include "verdict/reject.h"

/* Publishes a packet that was dropped or rejected, if it is to be a sample. */
__noinline int publish_drop(struct xdp_md *ctx, offsets_t offsets, __u32 key, __u32 entry)
{
	struct headers headers = { 0 };
	struct event event = { .line = entry_line(entry) };

	if (!take_sample(key))
		return 0;
	read_headers(ctx, offsets, key, &headers);
	publish_packet(ctx, entry_verdict(entry) == VERDICT_REJECT ? EVENT_REJECT : EVENT_DROP,
		       key, &headers.flow, &event);
	return 0;
}

/* Slow exit of a counted packet: full counts, sampled drop, reject. Returns the verdict. */
__noinline int slow_exit(struct xdp_md *ctx, offsets_t offsets, __u32 key, __u32 entry)
{
	__u32 verdict = entry_verdict(entry);

	flush_counts(key, entry);
	if (verdict == VERDICT_PASS)
		return verdict;
	if (is_watched())
		publish_drop(ctx, offsets, key, entry);
	return verdict == VERDICT_REJECT ? reject(ctx, offsets, key) : verdict;
}

/* Whether a monitor may want a sample of a dropped packet. */
static __always_inline bool may_be_sampled(__u64 key)
{
	return is_watched() && !is_sampling_done(key);
}

static __always_inline int slow_path(struct xdp_md *ctx, struct packet *packet)
{
	entry_t entry = charge(packet, judge(ctx, packet));

	if (entry & ENTRY_PASS)
		return VERDICT_PASS;
	if (entry & ENTRY_REJECT || may_be_sampled(packet->key))
		return slow_exit(ctx, packet->offsets, packet->key, entry);
	return VERDICT_DROP;
}

#endif
