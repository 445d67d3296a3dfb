// SPDX-License-Identifier: GPL-2.0-only
#include "base/hash.h"

#include <endian.h>
#include <string.h>

#include "portctl/blake2s.h"

/* Adds one block, padded with zeros. `length`: bytes so far, this block's included. */
static void hash_block(__u32 state[8], const void *data, size_t size, __u32 length, int last)
{
	__u32 block[16] = { 0 };

	memcpy(block, data, size);
	for (int i = 0; i < 16; i++)
		block[i] = le32toh(block[i]);
	blake2s_compress(state, block, length, last);
	explicit_bzero(block, sizeof(block));
}

void blake2s(__u8 *tag, size_t size, const void *key, size_t key_size, const void *message,
	     size_t message_size)
{
	const __u8 *data = message;
	__u32 state[8], length = 0;

	blake2s_begin(state, size, key_size);
	if (key_size) {
		length = BLAKE2S_BLOCK;
		hash_block(state, key, key_size, length, !message_size);
	}
	while (message_size > BLAKE2S_BLOCK) {
		length += BLAKE2S_BLOCK;
		hash_block(state, data, BLAKE2S_BLOCK, length, 0);
		data += BLAKE2S_BLOCK;
		message_size -= BLAKE2S_BLOCK;
	}
	if (message_size || !key_size)
		hash_block(state, data, message_size, length + message_size, 1);
	for (int i = 0; i < 8; i++)
		state[i] = htole32(state[i]);
	memcpy(tag, state, size);
	explicit_bzero(state, sizeof(state));
}

void blake2s_keyed(__u32 state[8], size_t size, const __u8 key[32])
{
	blake2s_begin(state, size, BLAKE2S_KEY);
	hash_block(state, key, BLAKE2S_KEY, BLAKE2S_BLOCK, 0);
}
