/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sequences that change with the time (RFC 6238, with HMAC-SHA-512). The digest of a
 * window is 16 words of 32 bits, and each is a step: the port at that place of the
 * range, modulo its size, first its TCP ports and then its UDP ports where it has
 * both. A step that would be the one before is the next port in its place.
 *
 * The secret's file has 32 to 256 hexadecimal digits: openssl rand -hex 32.
 */
#ifndef TOTP_H
#define TOTP_H

#include "portctl/knock.h"
#include "rules/rule.h"

#define TOTP_SECRET_MIN 16 /* bytes; RFC 4226, R6 */
#define TOTP_SECRET_MAX 128

struct totp {
	__u8 secret[TOTP_SECRET_MAX];
	size_t size;
};

/*
 * Reads a secret, which only its owner may be able to read; wipe *totp after use.
 * Returns 0 or a negative errno, having said what is wrong.
 */
int totp_read(const char *path, struct totp *totp);

/* How many ports a timed knock's range has, of both protocols; of others 0. */
__u32 totp_range(const struct knock *knock);

/* The port key at a place of the range, from 0 on. */
__u32 totp_key(const struct term *range, __u32 place);

/* The steps of a timed knock in a window. */
void totp_sequence(const struct totp *totp, const struct knock *knock, __u64 window,
		   struct sequence *sequence);

#endif
