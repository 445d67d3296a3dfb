/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table: conversations that began on this side. The program on outgoing packets adds
 * flows, the one on incoming packets looks them up.
 *
 * A flow can be stored in either of two sets, so one full set does little harm. A keyed hash
 * of 128 bits, its tag, represents it: a look-up compares tags only. A slot is reused after
 * its flow has ended and never before. If both sets are full, a new flow is refused and
 * counted.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "base/clock.h"
#include "base/hash.h"
#include "base/maps.h"

#define FLOW_TRIES 8 /* tries of a compare-and-swap */

/* The end of a slot that is being written: the slot looks taken. */
#define FLOW_CLAIMED (~0ull)

struct tag {
	__u64 part[2];
};

/* The lifetime of a flow, in ticks. */
static __always_inline __u64 flow_life(const struct flow_key *flow)
{
	return (flow->protocol == IPPROTO_TCP ? FLOW_LIFE_TCP : FLOW_LIFE_UDP) *
	       ticks_per_second;
}

/*
 * NH, the hash of UMAC (Black et al., CRYPTO '99): a sum of products, computed twice, the
 * second time with the secret shifted by a pair of words (their Toeplitz extension). Any two
 * flows have equal tags with a probability of 2^-64 for anybody who does not know the secret.
 * IPv4 needs fewer pairs; the family is hashed too, so IPv4 and IPv6 cannot be confused.
 */
static __always_inline struct tag flow_tag(const struct flow_key *flow)
{
	const __u32 *remote = (const __u32 *)flow->remote;
	const __u32 *local = (const __u32 *)flow->local;
	const __u32 *rest = (const __u32 *)&flow->remote_port;
	struct tag tag = { { hash_pair(rest[0], rest[1], 0), hash_pair(rest[0], rest[1], 2) } };

	for (int i = 0; i < 4; i++) {
		tag.part[0] += hash_pair(remote[i], local[i], 2 * i + 2);
		tag.part[1] += hash_pair(remote[i], local[i], 2 * i + 4);
		if (flow->family == 4)
			break;
	}
	return tag;
}

/* The set of a flow by one part of its tag. */
static __always_inline __u32 flow_index(__u64 part)
{
	return (part * HASH_MULTIPLIER >> 32) & (FLOW_SETS - 1);
}

static __always_inline struct flow_set *flow_set(__u64 part)
{
	__u32 index = flow_index(part);

	return bpf_map_lookup_elem(&flows, &index);
}

/*
 * The element of flow_ends for a set. Neighbouring sets share it: it has the time when the last
 * of their flows ends.
 */
static __always_inline __u64 *flow_end(__u64 part)
{
	__u32 index = flow_index(part) / (FLOW_SETS / FLOW_ENDS);

	return bpf_map_lookup_elem(&flow_ends, &index);
}

static __always_inline bool is_flow(const struct flow *flow, const struct tag *tag)
{
	return flow->tag[0] == tag->part[0] && flow->tag[1] == tag->part[1];
}

static __always_inline struct flow *find_flow(struct flow_set *set, const struct tag *tag)
{
	for (int i = 0; i < FLOW_WAYS; i++) {
		if (is_flow(&set->flows[i], tag))
			return &set->flows[i];
	}
	return NULL;
}

/* Whether a flow with this tag exists and has not ended. */
static __always_inline bool has_flow(const struct tag *tag)
{
	__u64 now = ticks_now();

	for (int i = 0; i < 2; i++) {
		__u64 *end = flow_end(tag->part[i]);
		struct flow_set *set;
		struct flow *flow;

		if (!end || *end <= now)
			continue;
		set = flow_set(tag->part[i]);
		flow = set ? find_flow(set, tag) : NULL;
		if (flow)
			return flow->until > now;
	}
	return false;
}

/*
 * Notes in flow_ends that a set has a flow until the tick `until`. The number only grows, and
 * the compare-and-swap fails only if another CPU raised it. A flow that goes on repeats this
 * within a second.
 */
static __always_inline void extend_set(__u64 part, __u64 until)
{
	__u64 *end = flow_end(part);

	for (int i = 0; i < FLOW_TRIES && end; i++) {
		__u64 old = READ_ONCE(*end);

		if (old >= until || __sync_val_compare_and_swap(end, old, until) == old)
			return;
	}
}

/* Stores a flow in a slot whose flow has ended; false if the set has none. */
static __always_inline bool claim_slot(__u64 part, const struct tag *tag, __u64 now,
				       __u64 until)
{
	struct flow_set *set = flow_set(part);

	for (int i = 0; i < FLOW_WAYS && set; i++) {
		struct flow *flow = &set->flows[i];
		__u64 ended = flow->until;

		if (ended > now ||
		    __sync_val_compare_and_swap(&flow->until, ended, FLOW_CLAIMED) != ended)
			continue;
		flow->tag[0] = tag->part[0];
		flow->tag[1] = tag->part[1];
		__sync_lock_test_and_set(&flow->until, until); /* last: now it is valid */
		extend_set(part, until);
		return true;
	}
	return false;
}

/*
 * Prolongs a flow. Writes at most once a second. Returns false if the flow is not in this set.
 */
static __always_inline bool extend_flow(__u64 part, const struct tag *tag, __u64 until)
{
	struct flow_set *set = flow_set(part);
	struct flow *flow = set ? find_flow(set, tag) : NULL;

	if (!flow)
		return false;
	if (until - flow->until > ticks_per_second) {
		flow->until = until;
		extend_set(part, until);
	}
	return true;
}

/* Prolongs a flow. If it does not exist, stores it if it `begins`. */
static __always_inline void remember_flow(const struct flow_key *key, bool begins)
{
	struct tag tag = flow_tag(key);
	__u64 now = ticks_now(), until = now + flow_life(key);
	struct flow_set *first;

	if (extend_flow(tag.part[0], &tag, until) || extend_flow(tag.part[1], &tag, until) ||
	    !begins || claim_slot(tag.part[0], &tag, now, until) ||
	    claim_slot(tag.part[1], &tag, now, until))
		return;
	first = flow_set(tag.part[0]);
	if (first)
		__sync_fetch_and_add(&first->refused, 1);
}

#endif
