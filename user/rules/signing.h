/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys of signed knocks, and signing. A key file has a line for each key; a client needs
 * only its own line:
 *
 *   NAME KEY SERVER [expires YYYY-MM-DD] [doors NAME,NAME...]
 *
 * KEY is 32 bytes and SERVER 8 bytes, in hexadecimal digits. "#" begins a comment.
 */
#ifndef SIGNING_H
#define SIGNING_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "portctl/signed.h"

#define KEY_NAME_MAX 31
#define KEY_DOORS_MAX 511

struct signing_key {
	char name[KEY_NAME_MAX + 1];
	__u8 key[32];
	__u8 server[8];
	__u64 expires; /* nanoseconds since 1970; 0: never */
	char doors[KEY_DOORS_MAX + 1]; /* names with commas between them; empty: all */
};

/*
 * Reads a key file, which only its owner may be able to read. Free *keys with keys_free(), which
 * wipes it, also after an error. Returns 0 or a negative errno, with the error printed.
 */
int keys_read(const char *path, struct signing_key **keys, size_t *count);
void keys_free(struct signing_key *keys, size_t count);

/* Whether the key may open the door of that name. */
bool key_opens(const struct signing_key *key, const char *door);

/* The `signer` and the `door` of struct signed_knock: hashes of a key and of a door's name. */
__be32 key_number(const struct signing_key *key);
__be32 door_number(const char *name);

/*
 * Signs a knock whose action, family, seconds, door and address are set: sets version, signer,
 * server, time (nanoseconds since 1970) and tag.
 */
void sign(struct signed_knock *knock, const struct signing_key *key, __u64 time);

#endif
