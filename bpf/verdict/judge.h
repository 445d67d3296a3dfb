/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Judging: from a key to the entry that decides.
 *
 * The compiler has settled which rule is the most specific, what the default is and what the
 * options say. One entry holds the result, with one rule or with 65,536. Only if a rule depends
 * on more than the key, the entry has a flag, and the flag says what else to look at.
 */
#ifndef VERDICT_JUDGE_H
#define VERDICT_JUDGE_H

#include "base/clock.h"
#include "base/maps.h"
#include "flow/reply.h"
#include "knock/grant.h"
#include "knock/knock.h"
#include "knock/signed.h"
#include "packet/headers.h"
#include "packet/packet.h"
#include "portctl/detail.h"
#include "verdict/limit.h"
#include "verdict/source.h"

/* What a walk through details is about. */
struct walk_context {
	const struct headers *headers;
	void *details; /* of the slot */
	__u32 slot;
	bool incoming; /* false: a packet that is sent, about its replies */
};

/* For `portctl explain`: records a step of the walk, first the detail, then its answer. */
static __always_inline void record_detail(__u32 index)
{
	__u32 step = inquiry.count;

	barrier_var(step); /* keep clang from reading it twice: the bound would be lost */
	if (step >= DETAIL_STEPS)
		return;
	inquiry.asked[step].detail = index;
	inquiry.count = step + 1;
}

static __always_inline void record_answer(__u32 flags, entry_t answer)
{
	__u32 step = inquiry.count - 1;

	barrier_var(step);
	if (step >= DETAIL_STEPS)
		return;
	inquiry.asked[step].flags = flags;
	inquiry.asked[step].answer = answer;
}

static __always_inline const struct detail *find_detail(void *context, __u32 index)
{
	const struct walk_context *walk = context;

	if (purpose == PURPOSE_EXPLAIN)
		record_detail(index);
	return bpf_map_lookup_elem(walk->details, &index);
}

static __always_inline entry_t ask_rule(const struct walk_context *walk,
					const struct detail *detail)
{
	/*
	 * For outgoing packets a door is always shut: they need a flow, which outlives the
	 * grant.
	 */
	if (detail->door &&
	    !(walk->incoming && is_granted(walk->headers, walk->slot, detail->door)))
		return 0;
	if (detail->deadline && boot_now() >= detail->deadline)
		return 0;
	if (walk->incoming && detail->interval && !is_within_limit(walk->headers, detail))
		return detail->limited;
	return detail->entry;
}

static __always_inline entry_t ask_detail(const struct walk_context *walk, __u32 flags,
					  const struct detail *detail)
{
	if (flags == ENTRY_SOURCES)
		return look_up_source(walk->headers, walk->slot, detail);
	if (flags == ENTRY_RULE)
		return ask_rule(walk, detail);
	if (flags == ENTRY_DHCP && is_from_dhcp_server(walk->headers))
		return entry_make(VERDICT_PASS, 0, LINE_DHCP);
	return 0;
}

static __always_inline entry_t take_step(void *walk, __u32 flags, const struct detail *detail)
{
	entry_t answer = ask_detail(walk, flags, detail);

	if (purpose == PURPOSE_EXPLAIN)
		record_answer(flags, answer);
	return answer;
}

/*
 * Walks from an entry with a detail to the entry that decides; 0 if there is none. Only
 * incoming packets take from limits. Not inlined: the verifier checks it once, and not again
 * for each caller.
 */
__noinline __u32 follow_details(const struct headers *headers, __u32 entry, __u32 slot,
				bool incoming)
{
	struct walk_context walk = {
		.headers = headers,
		.details = bpf_map_lookup_elem(&details, &slot),
		.slot = slot,
		.incoming = incoming,
	};

	if (!headers || !walk.details)
		return 0;
	return detail_walk(entry, find_detail, take_step, &walk);
}

/*
 * Judges a packet whose entry has flags: reads its headers, follows details, checks whether it
 * is a reply, handles a knock. Returns an entry without flags, except ENTRY_TOUCH if the packet
 * touched a shut port. Not inlined, so that entries without flags do not pay for it.
 */
__noinline __u32 judge_flags(struct xdp_md *ctx, __u32 key, offsets_t offsets, __u32 entry,
			     __u32 slot)
{
	struct headers headers = { 0 };

	if (!read_headers(ctx, offsets, key, &headers))
		return 0;
	if (entry_has_detail(entry))
		entry = follow_details(&headers, entry, slot, true);
	if (entry_flags(entry) & ENTRY_REPLY && is_reply(ctx, &headers))
		return entry_make(VERDICT_PASS, 0, LINE_REPLY);
	if (!(entry_flags(entry) & ENTRY_TOUCH) || !headers.touches ||
	    purpose == PURPOSE_EXPLAIN)
		return entry_final(entry);
	knock(ctx, &headers.flow, slot, key);
	return entry_make(entry_verdict(entry), ENTRY_TOUCH, entry_line(entry));
}

/*
 * The same for a step of a sequence or a port of signed knocks. A signature is verified after
 * judge_flags() has returned: its stack is free then.
 */
__noinline __u32 judge_step(struct xdp_md *ctx, __u32 key, offsets_t offsets, __u32 entry,
			    __u32 slot)
{
	entry = judge_flags(ctx, key, offsets, entry, slot);
	if (entry_flags(entry) & ENTRY_TOUCH)
		signed_knock(ctx, offsets, slot, key);
	return entry_final(entry);
}

/* Returns the entry that decides about a packet, without flags. Sets packet->slot. */
static __always_inline entry_t judge(struct xdp_md *ctx, struct packet *packet)
{
	bool can_reply;
	entry_t entry;

	/* Read once: a packet must not see two generations. */
	packet->slot = control.generation;
	entry = table[packet_slot(packet)].entries[packet->key];
	if (likely(!entry_flags(entry)))
		return entry;
	/* A SYN flood must not pay for what only replies need. */
	if (entry_flags(entry) == ENTRY_REPLY && !packet->may_reply)
		return entry_final(entry);
	can_reply = entry_flags(entry) & ENTRY_REPLY && packet->may_reply;
	if (!entry_has_detail(entry) && !can_reply &&
	    !may_knock(ctx, packet, packet_slot(packet)))
		return entry_final(entry);
	if (packet->key < PORT_KEYS && is_step(packet_slot(packet), packet->key))
		return judge_step(ctx, packet->key, packet->offsets, entry,
				  packet_slot(packet));
	return entry_final(
		judge_flags(ctx, packet->key, packet->offsets, entry, packet_slot(packet)));
}

#endif
