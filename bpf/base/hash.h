/* SPDX-License-Identifier: GPL-2.0-only */
/* Keyed hashes of addresses. Their keys are words of control.secret, which never change. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/maps.h"

/*
 * Fibonacci hashing: 2^64 divided by the golden ratio. The upper bits of a product are mixed
 * best.
 */
#define HASH_MULTIPLIER 0x9E3779B97F4A7C15

/*
 * A step of NH (Black et al., UMAC, CRYPTO '99): two words of input, words i and i + 1 of the
 * secret.
 */
static __always_inline __u64 hash_pair(__u32 a, __u32 b, int i)
{
	const __u32 *secret = (const __u32 *)control.secret;

	return (__u64)(a + secret[i]) * (__u32)(b + secret[i + 1]);
}

static __always_inline __u64 hash_rotate(__u64 value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static __always_inline void hash_round(__u64 v[4])
{
	v[0] += v[1];
	v[1] = hash_rotate(v[1], 13) ^ v[0];
	v[0] = hash_rotate(v[0], 32);
	v[2] += v[3];
	v[3] = hash_rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = hash_rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = hash_rotate(v[1], 17) ^ v[2];
	v[2] = hash_rotate(v[2], 32);
}

/*
 * SipHash-1-2 (Aumasson and Bernstein, 2012) of two numbers, without the block for the length,
 * which is always the same. Its key is words 12 to 15 of the secret.
 */
static __always_inline __u64 hash_numbers(__u64 first, __u64 second)
{
	const __u64 *key = (const __u64 *)&control.secret[12];
	__u64 v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
		       key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };

	v[3] ^= first;
	hash_round(v);
	v[0] ^= first;
	v[3] ^= second;
	hash_round(v);
	v[0] ^= second;
	v[2] ^= 0xFF;
	hash_round(v);
	hash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
