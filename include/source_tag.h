/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tag that stands for a prefix in the table of sources, for both sides. The
 * includer provides the __uN types.
 *
 * It is a multilinear hash (Lemire and Kaser, "Strongly universal string hashing is
 * fast", The Computer Journal 2014): the upper half of a sum of products with secret
 * numbers, twice, the second time with the secret moved on by one (Toeplitz). Two
 * prefixes have the same tag with a probability of 2^-64 whatever they are, to whom
 * does not know the secret; so no source can be made to pass for another.
 */
#ifndef SOURCE_TAG_H
#define SOURCE_TAG_H

#define SOURCE_IPV6 0x80

/*
 * Which of a group's prefixes: `nth` is how many longer lengths the group has, of the
 * same family, and at most 127.
 */
static inline __u32 source_kind(__u32 group, int ipv6, __u32 nth)
{
	return group << 8 | (ipv6 ? SOURCE_IPV6 : 0) | nth;
}

/*
 * The address of a prefix is two numbers in host byte order, with zeros behind the
 * prefix: IPv4 in `low`, IPv6 with its first half in `high`. `kind` is source_kind().
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
 * The set of a tag, where there are so many: as many tags for each of them. Halves of tags
 * of addresses in a row are in a row as well; both together, mixed, are not.
 */
static inline __u32 source_index(__u64 tag, __u32 sets)
{
	__u64 mixed = (tag ^ tag >> 32) * 0x9E3779B97F4A7C15;

	return (mixed >> 32) * sets >> 32;
}

#endif
