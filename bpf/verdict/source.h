/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources: the longest prefix of a group that a packet comes from. Each length that
 * the group has is looked up, from the longest on, in a hash table of our own sets:
 * one cache line for each, whether there are ten prefixes or 100,000. Groups mostly
 * have one length, or a few.
 */
#ifndef VERDICT_SOURCE_H
#define VERDICT_SOURCE_H

#include "base/maps.h"
#include "packet/subject.h"
#include "portctl/source.h"

struct search {
	__u64 high, low; /* the address, in host byte order; IPv4 in `low` */
	__u64 lengths[2]; /* those that are left: struct lengths, `low` first */
	__u32 slot;
	__u32 kind; /* of the next length */
	entry_t entry; /* what was found */
	__u32 zero;
};

/* Looks a tag up; whether it is there. */
static __always_inline bool find_source(struct search *search, __u64 tag)
{
	void *sets = bpf_map_lookup_elem(&sources, &search->slot);
	__u32 index = source_index(tag, table[search->slot & 1].source_sets);

	for (int hop = 0; hop < SOURCE_HOPS && sets; hop++, index++) {
		struct source_set *set = bpf_map_lookup_elem(sets, &index);

		if (!set)
			break;
		for (int i = 0; i < SOURCE_WAYS; i++) {
			if (set->tags[i] == tag) {
				search->entry = set->entries[i];
				return true;
			}
		}
		if (likely(!set->goes_on))
			break;
	}
	return false;
}

/* One length: bpf_loop() calls this for each; 1 ends the search. */
static long search_length(__u32 nth, struct search *search)
{
	__u64 high = search->high, low = search->low;
	int half = search->lengths[0] ? 0 : 1;
	__u64 lengths = half ? search->lengths[1] : search->lengths[0];
	__u64 mask = -(lengths & -lengths);

	if (!lengths)
		return 1;
	if (half) {
		search->lengths[1] = lengths & (lengths - 1);
		high &= mask;
		low = 0;
	} else {
		search->lengths[0] = lengths & (lengths - 1);
		low &= mask;
	}
	return find_source(search, source_tag(table[search->slot & 1].source_secret,
					      search->kind + nth, high, low));
}

/* What a group says of a packet's source; 0: nothing, or what comes next. */
static __always_inline entry_t look_up_source(const struct subject *subject, __u32 slot,
					      const struct detail *detail)
{
	const __u32 *address = (const __u32 *)subject->flow.remote;
	bool ipv6 = subject->flow.family == 6;
	struct search search = {
		.slot = slot,
		.kind = source_kind(detail->group, ipv6, 0),
		.entry = ipv6 ? detail->any6 : detail->any4,
	};

	if (ipv6) {
		search.high = (__u64)bpf_ntohl(address[0]) << 32 | bpf_ntohl(address[1]);
		search.low = (__u64)bpf_ntohl(address[2]) << 32 | bpf_ntohl(address[3]);
		search.lengths[0] = detail->lengths.ipv6[0];
		search.lengths[1] = detail->lengths.ipv6[1];
	} else {
		search.low = bpf_ntohl(address[0]);
		search.lengths[0] = detail->lengths.ipv4;
	}
	bpf_loop(128, search_length, &search, 0);
	return search.entry;
}

#endif
