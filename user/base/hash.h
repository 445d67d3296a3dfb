/* SPDX-License-Identifier: GPL-2.0-only */
/* Keyed and unkeyed BLAKE2s (RFC 7693) over whole messages. */
#ifndef HASH_H
#define HASH_H

#include <linux/types.h>
#include <stddef.h>

/*
 * Writes the `size`-byte hash (1 to 32 bytes) of a message to `tag`. `key` has key_size bytes,
 * at most 32; without a key it is NULL and key_size is 0.
 */
void blake2s(__u8 *tag, size_t size, const void *key, size_t key_size, const void *message,
	     size_t message_size);

/*
 * Writes the state after the key block, for hashes of `size` bytes. The data path continues
 * from this state (struct signer) and never sees the key.
 */
void blake2s_keyed(__u32 state[8], size_t size, const __u8 key[32]);

#endif
