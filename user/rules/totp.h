/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sequences that change with the time (RFC 6238, with HMAC-SHA-512). The digest of a window
 * of 30 seconds is 16 integers of 32 bits in network byte order; each makes a step. The integer
 * modulo the size of the range is the step's index in the range. A range of both protocols has
 * its TCP ports first, then its UDP ports. A step that would repeat the step before it is the
 * next port of the range instead.
 *
 * The file of the secret has 32 to 256 hexadecimal digits: openssl rand -hex 32.
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
 * Reads a secret from a file that only its owner may be able to read. Wipe *totp after use.
 * Returns 0 or a negative errno, with the error printed.
 */
int totp_read(const char *path, struct totp *totp);

/* The size of a timed knock's range, TCP and UDP ports counted apart; 0 for other knocks. */
__u32 totp_range(const struct knock *knock);

/* The port key at an index of the range, from 0. */
__u32 totp_key(const struct term *range, __u32 index);

/* Computes the steps of a timed knock in a window: its number since 1970, see WINDOW_SECONDS. */
void totp_sequence(const struct totp *totp, const struct knock *knock, __u64 window,
		   struct sequence *sequence);

#endif
