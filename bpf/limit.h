/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits: GCRA, the virtual scheduling form (ITU-T I.371, annex A). A bucket is
 * one number, the time at which the next packet is due; a packet that comes more
 * than the tolerance before that is over the limit, and then nothing is written.
 */
#ifndef LIMIT_H
#define LIMIT_H

#define BUCKET_TRIES 4

/* SipHash's round, for one block: enough to keep a bucket from being aimed at. */
static __always_inline __u64 rotate(__u64 value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static __always_inline void mix(__u64 v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* IPv6 sources count by /64: whoever has one has all of its addresses. */
static __always_inline __u32 source_bucket(const struct flow_key *flow,
					   const struct detail *detail)
{
	const __u64 *hash_key = (const __u64 *)&control.secret[12]; /* it never changes */
	__u64 v[4] = { hash_key[0] ^ 0x736f6d6570736575, hash_key[1] ^ 0x646f72616e646f6d,
		       hash_key[0] ^ 0x6c7967656e657261, hash_key[1] ^ 0x7465646279746573 };
	__u32 line = entry_line(detail->entry);
	__u64 rest = (__u64)detail->per_source << 32 | line << 8 | flow->family;
	__u64 address = 0;

	__builtin_memcpy(&address, flow->remote, sizeof(address)); /* IPv4: then zeros */
	v[3] ^= address;
	mix(v);
	v[0] ^= address;
	v[3] ^= rest;
	mix(v);
	v[0] ^= rest;
	v[2] ^= 0xFF;
	mix(v);
	mix(v);
	return (v[0] ^ v[1] ^ v[2] ^ v[3]) & (SOURCE_BUCKETS - 1);
}

static __always_inline bool take_from(__u64 *bucket, __u64 interval, __u64 tolerance)
{
	__u64 now = boot_now();

	if (purpose == PURPOSE_EXPLAIN)
		return *(volatile __u64 *)bucket <= now + tolerance;
	for (int i = 0; i < BUCKET_TRIES; i++) {
		__u64 due = *(volatile __u64 *)bucket;
		__u64 next = (due > now ? due : now) + interval;

		if (due > now + tolerance)
			return false;
		if (__sync_val_compare_and_swap(bucket, due, next) == due)
			return true;
	}
	return false; /* so many others at once: the limit is reached anyway */
}

static __always_inline bool within_limit(const struct subject *subject,
					 const struct detail *detail)
{
	__u32 index = entry_line(detail->entry);
	__u64 *bucket;

	if (detail->per_source) {
		index = source_bucket(&subject->flow, detail);
		bucket = bpf_map_lookup_elem(&source_buckets, &index);
	} else {
		bucket = bpf_map_lookup_elem(&buckets, &index);
	}
	return bucket && take_from(bucket, detail->interval, detail->tolerance);
}

#endif
