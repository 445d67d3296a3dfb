/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge: from the key to the entry that says what happens to the packet.
 *
 * Which rule is the most specific, what the default is and what the options
 * say was all settled when the ruleset was compiled; one entry holds the answer,
 * whether there is one rule or 65,536. Only where a rule needs to know more than
 * the port does its entry have a flag, which leads to a detail.
 */
#ifndef VERDICT_JUDGE_H
#define VERDICT_JUDGE_H

#include "flow/reply.h"
#include "knock/knock.h"
#include "knock/signed.h"
#include "packet/packet.h"
#include "verdict/limit.h"
#include "verdict/source.h"
#include "portctl/detail.h"

/* What one detail makes of the packet: a plain entry, another detail, or 0. */
static __always_inline entry_t ask(const struct subject *subject, __u32 slot, __u32 flags,
				   const struct detail *detail, bool charged)
{
	if (flags == ENTRY_SOURCES)
		return look_up_source(subject, slot, detail);
	if (flags == ENTRY_RULE) {
		/* What goes out needs a flow all the same: it outlives the grant. */
		if (detail->door && !(charged && is_granted(subject, slot, detail->door)))
			return 0;
		if (detail->deadline && boot_now() >= detail->deadline)
			return 0;
		if (charged && detail->interval && !within_limit(subject, detail))
			return detail->limited;
		return detail->entry;
	}
	if (flags == ENTRY_DHCP && is_from_dhcp_server(subject))
		return entry_make(VERDICT_PASS, 0, LINE_DHCP);
	return 0;
}

/* For whoever wants to know how it came to the verdict. */
static __always_inline void note_asked(__u32 detail, __u32 flags, entry_t answer)
{
	__u32 at = inquiry.count;

	barrier_var(at);
	if (at >= DETAIL_STEPS)
		return;
	inquiry.asked[at].detail = detail;
	inquiry.asked[at].flags = flags;
	inquiry.asked[at].answer = answer;
	inquiry.count = at + 1;
}

/*
 * Goes from detail to detail, until an entry leads to none; 0 where it fails. Only
 * what is `charged` takes from a limit. Not static: the verifier checks it by
 * itself, and not once more for each way that leads here.
 */
__noinline __u32 follow(const struct subject *subject, __u32 entry, __u32 slot, bool charged)
{
	void *table = bpf_map_lookup_elem(&details, &slot);
	entry_t pending = 0; /* what comes after the sources asked last */

	if (!subject || !table)
		return 0;
	for (int i = 0; i < DETAIL_STEPS && entry_has_detail(entry); i++) {
		__u32 index = entry_line(entry), flags = entry_flags(entry);
		struct detail *detail = bpf_map_lookup_elem(table, &index);

		if (!detail)
			return 0;
		entry = ask(subject, slot, flags, detail, charged);
		if (purpose == PURPOSE_EXPLAIN)
			note_asked(index, flags, entry);
		if (!entry)
			entry = detail->next ?: pending;
		if (flags == ENTRY_SOURCES)
			pending = detail->next;
	}
	return entry;
}

/*
 * Finds the entry behind one with a flag; with the mark ENTRY_TOUCH if the packet touched
 * a port that is shut, and with no other. Not static either: plain entries are not made
 * slower by it.
 */
__noinline __u32 judge_further(struct xdp_md *ctx, __u32 key, __u32 place, __u32 entry,
			       __u32 slot)
{
	struct subject subject = { 0 };

	if (!read_subject(ctx, place, key, &subject))
		return 0;
	if (entry_has_detail(entry))
		entry = follow(&subject, entry, slot, true);
	if (entry_has_detail(entry))
		return 0;
	if (entry_flags(entry) & ENTRY_REPLY && is_reply(ctx, &subject))
		return entry_make(VERDICT_PASS, 0, LINE_REPLY);
	if (!(entry_flags(entry) & ENTRY_TOUCH) || !subject.touches ||
	    purpose == PURPOSE_EXPLAIN)
		return entry_final(entry);
	knock(ctx, &subject.flow, slot, key);
	return entry_make(entry_verdict(entry), ENTRY_TOUCH, entry_line(entry));
}

/*
 * The same for a port that is knocked at. A signature is looked at when the subject is
 * done with: the verifier limits how much stack all callers have together.
 */
__noinline __u32 judge_step(struct xdp_md *ctx, __u32 key, __u32 place, __u32 entry, __u32 slot)
{
	entry = judge_further(ctx, key, place, entry, slot);
	if (entry_flags(entry) & ENTRY_TOUCH)
		signature(ctx, place, slot, key);
	return entry_final(entry);
}

static __always_inline entry_t judge(struct xdp_md *ctx, struct packet *packet)
{
	bool asks_for_flow;
	entry_t entry;

	/* Read once: a packet must not see two generations. */
	packet->slot = control.generation;
	entry = table[packet_slot(packet)].entries[packet->key];
	if (likely(!entry_flags(entry)))
		return entry;
	/* A flood of what opens connections must not pay for what only replies need. */
	if (entry_flags(entry) == ENTRY_REPLY && !packet->may_reply)
		return entry_final(entry);
	asks_for_flow = entry_flags(entry) & ENTRY_REPLY && packet->may_reply;
	if (!entry_has_detail(entry) && !asks_for_flow &&
	    !may_knock(ctx, packet, packet_slot(packet)))
		return entry_final(entry);
	if (packet->key < PORT_KEYS && is_step(packet_slot(packet), packet->key))
		return judge_step(ctx, packet->key, packet->place, entry, packet_slot(packet));
	return entry_final(
		judge_further(ctx, packet->key, packet->place, entry, packet_slot(packet)));
}

#endif
