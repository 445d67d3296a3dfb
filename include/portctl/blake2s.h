/* SPDX-License-Identifier: GPL-2.0-only */
/* BLAKE2s (RFC 7693): the compression, for both sides. The data path verifies signed knocks. */
#ifndef PORTCTL_BLAKE2S_H
#define PORTCTL_BLAKE2S_H

#include "portctl/types.h"

#define BLAKE2S_BLOCK 64 /* bytes */
#define BLAKE2S_KEY 32 /* bytes of a key, at most */

#define BLAKE2S_INLINE static inline __attribute__((always_inline))

BLAKE2S_INLINE __u32 blake2s_rotate(__u32 value, int bits)
{
	return value >> bits | value << (32 - bits);
}

/* The mixing function G (section 3.1). */
BLAKE2S_INLINE void blake2s_mix(__u32 v[16], int a, int b, int c, int d, __u32 x, __u32 y)
{
	v[a] += v[b] + x;
	v[d] = blake2s_rotate(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = blake2s_rotate(v[b] ^ v[c], 12);
	v[a] += v[b] + y;
	v[d] = blake2s_rotate(v[d] ^ v[a], 8);
	v[c] += v[d];
	v[b] = blake2s_rotate(v[b] ^ v[c], 7);
}

static const __u32 blake2s_iv[8] = { 0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
				     0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19 };

/*
 * The compression function F (section 3.2): adds one block to the state. `block` is 16 words
 * that are little-endian in memory; `length` the number of bytes so far, this block included;
 * `last` is not 0 for the last block. All loops are unrolled, so that the data path has only
 * constant indices.
 */
BLAKE2S_INLINE void blake2s_compress(__u32 state[8], const __u32 block[16], __u32 length,
				     int last)
{
	static const unsigned char sigma[10][16] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
		{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
		{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
		{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
		{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
		{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
		{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
		{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
		{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
		{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
	};
	__u32 v[16];

	for (int i = 0; i < 8; i++) {
		v[i] = state[i];
		v[i + 8] = blake2s_iv[i];
	}
	v[12] ^= length;
	v[14] ^= last ? ~0u : 0;
#pragma GCC unroll 10
	for (int r = 0; r < 10; r++) {
		const unsigned char *s = sigma[r];

		blake2s_mix(v, 0, 4, 8, 12, block[s[0]], block[s[1]]);
		blake2s_mix(v, 1, 5, 9, 13, block[s[2]], block[s[3]]);
		blake2s_mix(v, 2, 6, 10, 14, block[s[4]], block[s[5]]);
		blake2s_mix(v, 3, 7, 11, 15, block[s[6]], block[s[7]]);
		blake2s_mix(v, 0, 5, 10, 15, block[s[8]], block[s[9]]);
		blake2s_mix(v, 1, 6, 11, 12, block[s[10]], block[s[11]]);
		blake2s_mix(v, 2, 7, 8, 13, block[s[12]], block[s[13]]);
		blake2s_mix(v, 3, 4, 9, 14, block[s[14]], block[s[15]]);
	}
	for (int i = 0; i < 8; i++)
		state[i] ^= v[i] ^ v[i + 8];
}

/*
 * Sets the initial state for an output of `size` bytes and a key of `key` bytes (section 3.3).
 */
BLAKE2S_INLINE void blake2s_begin(__u32 state[8], __u32 size, __u32 key)
{
	for (int i = 0; i < 8; i++)
		state[i] = blake2s_iv[i];
	state[0] ^= 0x01010000 ^ key << 8 ^ size;
}

#endif
