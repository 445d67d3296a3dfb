/* SPDX-License-Identifier: GPL-2.0-only */
/* Signed knocks: the datagram, and the keys that may sign. */
#ifndef PORTCTL_SIGNED_H
#define PORTCTL_SIGNED_H

#include "portctl/knock.h"

#define SIGNED_VERSION 1
#define SIGNED_PORT 62201 /* the UDP port a client sends to by default */

enum signed_action {
	SIGNED_OPEN = 1,
	SIGNED_CLOSE = 2,
	SIGNED_EXTEND = 3, /* prolong a grant; if there is none, do nothing */
};

/*
 * The payload of a signed knock, exactly one datagram. Integers are in network byte order. The
 * tag is keyed BLAKE2s (RFC 7693) with an output of 16 bytes and a key of 32 bytes, over the 48
 * bytes before it. The time of a signer's knock must be later than that of each knock before;
 * so it also protects against replay.
 */
struct signed_knock {
	__u8 version; /* SIGNED_VERSION */
	__u8 action; /* enum signed_action */
	__u8 family; /* of `address`: 4 or 6; 0: use the packet's source, `address` is 0 */
	__u8 zero;
	__be32 signer; /* the first 4 bytes of the key's unkeyed BLAKE2s-128 */
	__be64 time; /* nanoseconds since 1970, UTC */
	__be32 seconds; /* how long to open; 0, or more than the door allows: as it allows */
	__be32 door; /* the first 4 bytes of unkeyed BLAKE2s-128 of the door's name */
	__u8 address[16]; /* the address to let in; IPv4 in the first four bytes */
	__u8 server[8]; /* the server's number, from the line of the key */
	__u8 tag[16];
};

/* Limits of verifications at each door: per second, and at once. */
#define SIGNED_RATE 10000
#define SIGNED_BURST 1000

#define MAX_SIGNERS 1024

/* Each slot of rules has its own signers, so that a rollback brings the earlier ones back. */
struct signer_key {
	__be32 number; /* as in struct signed_knock */
	__u32 slot; /* 0 or 1 */
};

/* A key that may sign. The map last_signed, which only the kernel writes, has its last time. */
struct signer {
	__u32 state[8]; /* of BLAKE2s, after it has taken the key */
	__u8 server[8];
	__u64 expires; /* nanoseconds since 1970; 0: never */
	__u64 doors; /* bit door - 1 is set: it may open that door */
};

_Static_assert(sizeof(struct signed_knock) == 64, "struct signed_knock: a block and its tag");
_Static_assert(MAX_DOORS <= 64, "struct signer has a bit for each door");

#endif
