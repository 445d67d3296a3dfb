/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits of rules: a bucket for each line, or buckets that sources share by a hash. */
#ifndef VERDICT_LIMIT_H
#define VERDICT_LIMIT_H

#include "base/bucket.h"
#include "base/hash.h"
#include "base/maps.h"
#include "packet/headers.h"
#include "portctl/detail.h"

/* The bucket of a source. IPv6 sources count by /64: who has one address has all of them. */
static __always_inline __u32 source_bucket(const struct flow_key *flow,
					   const struct detail *detail)
{
	__u32 line = entry_line(detail->entry);
	__u64 rest = (__u64)detail->per_source << 32 | line << 8 | flow->family;
	__u64 address = 0;

	__builtin_memcpy(&address, flow->remote, sizeof(address)); /* IPv4: then zeros */
	return hash_numbers(address, rest) & (SOURCE_BUCKETS - 1);
}

/* Takes a packet from the limit of a rule; false if it is over the limit. */
static __always_inline bool is_within_limit(const struct headers *headers,
					    const struct detail *detail)
{
	__u32 index = entry_line(detail->entry);
	__u64 *bucket;

	if (detail->per_source) {
		index = source_bucket(&headers->flow, detail);
		bucket = bpf_map_lookup_elem(&source_buckets, &index);
	} else {
		bucket = bpf_map_lookup_elem(&buckets, &index);
	}
	return bucket && bucket_take(bucket, detail->interval, detail->tolerance);
}

#endif
