/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows: the table of conversations that were begun from here, which the way in
 * and the way out have to agree on.
 *
 * A flow can be in either of two sets, so a set that is full by chance matters
 * little, and has a few places in each. Its tag stands for it: a keyed hash of
 * 128 bits, so that the look-up is one comparison. Places are taken over when
 * their flow has ended, and never before: when all are taken, a new flow is
 * refused and counted.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "base/clock.h"
#include "base/hash.h"
#include "base/maps.h"

#define FLOW_TRIES 8

/* Of a place that is being written: it looks taken. */
#define FLOW_CLAIMED (~0ull)

struct tag {
	__u64 part[2];
};

static __always_inline __u64 flow_life(const struct flow_key *flow)
{
	return (flow->protocol == IPPROTO_TCP ? FLOW_LIFE_TCP : FLOW_LIFE_UDP) *
	       ticks_per_second;
}

/*
 * NH, the hash of UMAC (Black et al., CRYPTO '99): a sum of products, twice, the
 * second time with the secret moved on by a pair (their Toeplitz extension). Two
 * flows have the same tag with a probability of 2^-64 whatever they are, to whom
 * does not know the secret. IPv4 leaves the other pairs out; the family is hashed.
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

/* Its set by one part of its tag; the multiplication brings its best bits down. */
static __always_inline __u32 flow_index(__u64 part)
{
	return part * 0x9E3779B97F4A7C15 >> 32 & (FLOW_SETS - 1);
}

static __always_inline struct flow_set *flow_set(__u64 part)
{
	__u32 index = flow_index(part);

	return bpf_map_lookup_elem(&flows, &index);
}

/* When the last flow ends of its set, and of those that share the answer. */
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
 * A flow lives until then: so does what stands for its set. It only ever grows, and a try
 * fails only where another CPU made it grow; a flow asks again a second later.
 */
static __always_inline void keep_set(__u64 part, __u64 until)
{
	__u64 *end = flow_end(part);

	for (int i = 0; i < FLOW_TRIES && end; i++) {
		__u64 old = *(volatile __u64 *)end;

		if (old >= until || __sync_val_compare_and_swap(end, old, until) == old)
			return;
	}
}

/* Takes a place in one of its sets whose flow has ended; false where others have all. */
static __always_inline bool claim_place(__u64 part, const struct tag *tag, __u64 now,
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
		__sync_lock_test_and_set(&flow->until, until); /* last of all */
		keep_set(part, until);
		return true;
	}
	return false;
}

/* Whether it is there, and then that it goes on, which is written once a second at most. */
static __always_inline bool extend(__u64 part, const struct tag *tag, __u64 until)
{
	struct flow_set *set = flow_set(part);
	struct flow *flow = set ? find_flow(set, tag) : NULL;

	if (!flow)
		return false;
	if (until - flow->until > ticks_per_second) {
		flow->until = until;
		keep_set(part, until);
	}
	return true;
}

/* Remembers a flow, in either of its sets; one that is not there only if it may begin. */
static __always_inline void remember(const struct flow_key *key, bool begins)
{
	struct tag tag = flow_tag(key);
	__u64 now = ticks_now(), until = now + flow_life(key);
	struct flow_set *first;

	if (extend(tag.part[0], &tag, until) || extend(tag.part[1], &tag, until) || !begins ||
	    claim_place(tag.part[0], &tag, now, until) ||
	    claim_place(tag.part[1], &tag, now, until))
		return;
	first = flow_set(tag.part[0]);
	if (first)
		__sync_fetch_and_add(&first->refused, 1);
}

#endif
