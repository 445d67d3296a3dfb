/* SPDX-License-Identifier: GPL-2.0-only */
/* Keyed and unkeyed BLAKE2s (RFC 7693) over whole messages. */
#ifndef HASH_H
#define HASH_H

#include <linux/types.h>
#include <stddef.h>

/*
 * Writes a tag of `size` bytes, 1 to 32, over a message. `key` may be NULL, then
 * key_size is 0; else it has up to 32 bytes.
 */
void blake2s(__u8 *tag, size_t size, const void *key, size_t key_size, const void *message,
	     size_t message_size);

/* The state for tags of `size` bytes once it has taken a key of 32: struct signer's. */
void blake2s_keyed(__u32 state[8], size_t size, const __u8 key[32]);

#endif
