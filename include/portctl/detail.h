/* SPDX-License-Identifier: GPL-2.0-only */
/* Details: what an entry with a flag of ENTRY_DETAIL refers to, and the walk through them. */
#ifndef PORTCTL_DETAIL_H
#define PORTCTL_DETAIL_H

#include "portctl/entry.h"

/*
 * The prefix lengths that occur in a group of sources, one bit each: `ipv4` has bit
 * 32 - length; `ipv6[0]` has bit 128 - length for lengths above 64, `ipv6[1]` has bit
 * 64 - length for the others. The lowest bit that is set is therefore the longest length,
 * and its negation is that length's netmask.
 */
struct lengths {
	__u64 ipv4;
	__u64 ipv6[2];
};

/* All times are nanoseconds; deadlines count from boot. */
struct detail {
	union {
		struct { /* ENTRY_RULE */
			__u64 deadline; /* when the rule ends; 0: never */
			__u64 interval; /* between packets at the limit; 0: no limit */
			__u64 tolerance; /* how early a packet may come: the burst */
			entry_t entry; /* the rule's verdict and line; final */
			entry_t limited; /* the same for packets over the limit; final */
			__u32 door; /* only sources with a grant for it; 0: all sources */
			__u32 per_source; /* 0: one limit for all sources; else a limit for
					   * each. The number differs from those of all
					   * rules that had this line before. */
		};
		struct { /* ENTRY_SOURCES */
			struct lengths lengths; /* longer than 0 */
			entry_t any4; /* the entry of 0.0.0.0/0; 0: not in the group */
			entry_t any6; /* the entry of ::/0; 0: not in the group */
			__u32 group; /* the group's number in source_kind() (source.h) */
		};
	};
	entry_t next; /* where to go on if this detail does not apply (detail_walk()) */
	__u32 zero;
};

_Static_assert(sizeof(struct detail) == 48, "struct detail");

/* The buckets that all limits per source share; a keyed hash of source and rule chooses one. */
#define SOURCE_BUCKETS 65536

/* How many rules with an end can follow each other at one key; more are refused. */
#define DETAIL_ENDING 8
/*
 * The longest walk: the sources of rules without ports, DHCP, the key's sources, and in both
 * groups of sources the rules with an end and one without.
 */
#define DETAIL_STEPS (2 * DETAIL_ENDING + 5)

/*
 * Walks from an entry through its details to the entry that decides. The data path
 * (bpf/verdict/judge.h) and the compiler's own evaluation (user/compile/evaluate.c) both use
 * it, with functions of their own:
 *
 * find(context, index) returns the detail of that index, or NULL if it does not exist.
 *
 * ask(context, flags, detail) returns what the detail says about the packet: a final entry, an
 * entry with another detail, or 0 if the detail does not apply. `flags` are those of the entry
 * that led to the detail, and say which part of its union is valid.
 *
 * If a detail does not apply, the walk goes on at its `next`. If that is 0, the walk goes on at
 * the `next` of the last group of sources that it looked at.
 *
 * Returns an entry without a detail; 0 if there is none, or a detail does not exist.
 */
static inline __attribute__((always_inline)) entry_t detail_walk(
	entry_t entry, const struct detail *(*find)(void *context, __u32 index),
	entry_t (*ask)(void *context, __u32 flags, const struct detail *detail), void *context)
{
	entry_t after_sources = 0;

	for (int i = 0; i < DETAIL_STEPS && entry_has_detail(entry); i++) {
		__u32 index = entry_line(entry), flags = entry_flags(entry);
		const struct detail *detail = find(context, index);

		if (!detail)
			return 0;
		entry = ask(context, flags, detail);
		if (!entry)
			entry = detail->next ? detail->next : after_sources;
		if (flags == ENTRY_SOURCES)
			after_sources = detail->next;
	}
	return entry_has_detail(entry) ? 0 : entry;
}

#endif
