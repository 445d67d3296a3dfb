/* SPDX-License-Identifier: GPL-2.0-only */
/* long_way: what comes after parse for a packet that is not plain. */
#ifndef PATH_SLOW_PATH_H
#define PATH_SLOW_PATH_H

#include "base/event.h"
#include "packet/subject.h"
#include "verdict/charge.h"
#include "verdict/judge.h"
#include "verdict/reject.h"

/* A packet that was not let in, if it is to be a sample. */
__noinline int tell_drop(struct xdp_md *ctx, __u32 place, __u32 key, __u32 entry)
{
	struct subject subject = { 0 };
	struct event event = { .line = entry_line(entry) };

	if (!take_sample(key))
		return 0;
	read_subject(ctx, place, key, &subject);
	tell(ctx, entry_verdict(entry) == VERDICT_REJECT ? EVENT_REJECT : EVENT_DROP, key,
	     &subject.flow, &event);
	return 0;
}

/* Whether a packet that is not let in is to be answered, or told of. */
static __always_inline bool asks_for_more(__u64 key, entry_t entry)
{
	return entry & ENTRY_REJECT || (is_watched() && !is_sampled(key));
}

/* For those, and for words that are full. */
__noinline int attend_to(struct xdp_md *ctx, __u32 place, __u32 key, __u32 entry)
{
	__u32 verdict = entry_verdict(entry);

	carry(key, entry);
	if (verdict == VERDICT_PASS)
		return verdict;
	if (is_watched())
		tell_drop(ctx, place, key, entry);
	return verdict == VERDICT_REJECT ? reject(ctx, place, key) : verdict;
}

/*
 * Ends the program where it stands: the kernel puts what has to be done then behind the
 * first such place, to which all others jump. The compiler would have one at the end.
 */
static __always_inline int leave(__u32 verdict)
{
	register __u64 r0 asm("r0") = verdict;

	asm volatile("exit" : : "r"(r0));
	__builtin_unreachable();
}

static __always_inline int long_way(struct xdp_md *ctx, struct packet *packet)
{
	entry_t entry = charge(packet, judge(ctx, packet));

	if (entry & ENTRY_PASS)
		return VERDICT_PASS;
	if (asks_for_more(packet->key, entry))
		return attend_to(ctx, packet->place, packet->key, entry);
	return VERDICT_DROP;
}

#endif
