/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources: a hash table of the prefixes that rules name, of all groups and both families.
 * The compiler fills it (user/compile/source_table.c), the data path looks addresses up
 * (bpf/verdict/source.h). A prefix is stored as its tag only.
 *
 * The tag is a multilinear hash (Lemire and Kaser, "Strongly universal string hashing is
 * fast", The Computer Journal 2014): a sum of products with secret numbers, of which the
 * upper half is kept. It is computed twice, the second time with the secret shifted by one
 * number (Toeplitz). Two given prefixes have equal tags with a probability of 2^-64. Without
 * the secret nobody can find a source whose tag equals that of another.
 */
#ifndef PORTCTL_SOURCE_H
#define PORTCTL_SOURCE_H

#include "portctl/entry.h"

/*
 * A set of the hash table. A tag whose set is full is stored in one of the sets behind it, at
 * most SOURCE_HOPS - 1 further. No tag hashes to the last SOURCE_HOPS sets of the table, so
 * that this is possible for every set.
 */
#define SOURCE_WAYS 5
#define SOURCE_HOPS 8

struct source_set {
	__u64 tags[SOURCE_WAYS];
	entry_t entries[SOURCE_WAYS]; /* of the tag with the same index */
	__u32 goes_on; /* not 0: a tag of this set is stored in a later set */
};

_Static_assert(sizeof(struct source_set) == 64, "struct source_set: a cache line");

/* Numbers of 64 bits in the secret of a table's tags. */
#define SOURCE_SECRETS 7

#define SOURCE_IPV6 0x80

/*
 * A number that is hashed together with the address. `group` is the number of a group of
 * sources. `nth` says how many longer prefix lengths of the same family occur in that group; at
 * most 127.
 */
static inline __u32 source_kind(__u32 group, int ipv6, __u32 nth)
{
	return group << 8 | (ipv6 ? SOURCE_IPV6 : 0) | nth;
}

/*
 * The tag of a prefix. `secret` has SOURCE_SECRETS numbers, `kind` is source_kind(). The
 * address is two numbers in host byte order, with zeros behind the prefix: IPv4 in `low`,
 * with 0 in `high`; IPv6 with its first 64 bits in `high`.
 */
static inline __u64 source_tag(const __u64 *secret, __u32 kind, __u64 high, __u64 low)
{
	__u64 first = secret[0] + secret[1] * kind + secret[2] * (__u32)low;
	__u64 second = secret[1] + secret[2] * kind + secret[3] * (__u32)low;

	if (kind & SOURCE_IPV6) {
		first += secret[3] * (low >> 32) + secret[4] * (__u32)high +
			 secret[5] * (high >> 32);
		second += secret[4] * (low >> 32) + secret[5] * (__u32)high +
			  secret[6] * (high >> 32);
	}
	return (first & 0xFFFFFFFF00000000) | second >> 32;
}

/*
 * The index of a tag's set, below `sets`. Tags of consecutive addresses have consecutive
 * halves, so both halves are mixed first (Fibonacci hashing); all sets are equally likely.
 */
static inline __u32 source_index(__u64 tag, __u32 sets)
{
	__u64 mixed = (tag ^ tag >> 32) * 0x9E3779B97F4A7C15;

	return (mixed >> 32) * sets >> 32;
}

#endif
