/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources: the longest prefix of a group that contains a packet's source. Each prefix length
 * that the group has is looked up in a hash table, from the longest on. A look-up reads one
 * cache line, with ten prefixes or with 100,000. Most groups have only a few lengths.
 */
#ifndef VERDICT_SOURCE_H
#define VERDICT_SOURCE_H

#include "base/maps.h"
#include "packet/headers.h"
#include "portctl/source.h"

/* IPv6 has 128 lengths above 0; IPv4 has fewer. */
#define LENGTHS_MAX 128

struct search {
	__u64 high, low; /* the address, as source_tag() has it */
	__u64 lengths[2]; /* left to look up, as in struct lengths; IPv4 uses the first */
	__u32 slot;
	__u32 kind; /* source_kind() of the longest length */
	entry_t entry; /* of the prefix that was found */
	__u32 zero;
};

/* Looks a tag up; sets search->entry if it is there. */
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

/* Looks one length up; bpf_loop() calls it. Returns 1 to end the search. */
static long search_length(__u32 nth, struct search *search)
{
	__u64 high = search->high, low = search->low;
	int half = search->lengths[0] ? 0 : 1;
	__u64 lengths = half ? search->lengths[1] : search->lengths[0];
	__u64 mask = -(lengths & -lengths); /* of the longest one that is left */

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

/* The entry of a packet's source in a group; 0: the group has none. */
static __always_inline entry_t look_up_source(const struct headers *headers, __u32 slot,
					      const struct detail *detail)
{
	const __u32 *address = (const __u32 *)headers->flow.remote;
	bool ipv6 = headers->flow.family == 6;
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
	bpf_loop(LENGTHS_MAX, search_length, &search, 0);
	return search.entry;
}

#endif
