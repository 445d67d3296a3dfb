/* SPDX-License-Identifier: GPL-2.0-only */
/* Knocks: doors, sequences, attempts, grants and lockouts. signed.h has signed knocks. */
#ifndef PORTCTL_KNOCK_H
#define PORTCTL_KNOCK_H

#include "portctl/types.h"

/*
 * A door is what a knock opens. Doors have numbers from 1 to MAX_DOORS; maps and arrays hold
 * door `number` at index number - 1.
 */
#define MAX_DOORS 64
#define MAX_STEPS 16

/* Port keys (enum key) that a source touches one after the other. */
struct sequence {
	__u32 count; /* 0: there is no sequence */
	__u32 steps[MAX_STEPS];
};

enum sequence_kind { SEQUENCE_OPEN, SEQUENCE_CLOSE, SEQUENCES };

enum door_flag {
	DOOR_ONCE = 1, /* a grant is for one connection */
	DOOR_NET = 2, /* a grant is for the source's /64, if it has an IPv6 address */
	DOOR_TIMED = 4, /* the sequences change with the time: struct windows */
};

struct door {
	struct sequence sequences[SEQUENCES]; /* by enum sequence_kind; not if DOOR_TIMED */
	__u32 window; /* how long an attempt may take, in units of ATTEMPT_TICK */
	__u32 misses; /* wrong touches that an attempt survives; at most ATTEMPT_MISSES */
	__u32 seconds; /* how long a grant lasts */
	__u32 flags; /* enum door_flag */
	__u32 signed_key; /* the port key of its signed knocks; 0: it takes none */
	__be32 name; /* as in struct signed_knock; network byte order */
	__u32 skew; /* seconds by which the time of a signature may be off */
	__u32 line; /* the line whose bucket limits verifications */
};

/*
 * Timed doors have a sequence for each window of 30 seconds (the time step of RFC 6238).
 * "portctl knock serve" writes them. A sequence is valid in its window and in the one before
 * and after it. The sequence of window `number` is list[number & 3]; the writer sets `number`
 * to 0 while it changes the rest.
 */
#define WINDOW_SECONDS 30
#define WINDOWS 4

struct window {
	__u64 number; /* windows since 1970, UTC; 0: not valid */
	struct sequence sequence;
	__u32 zero;
};

struct windows {
	__u64 until; /* nanoseconds since boot: until then the writer was alive */
	struct window list[WINDOWS];
};

/* Sequences are numbered (door - 1) * DOOR_SEQUENCES + enum sequence_kind or window & 3. */
#define DOOR_SEQUENCES 4
#define SEQUENCE_NUMBERS (MAX_DOORS * DOOR_SEQUENCES)

/*
 * An attempt: how far a source has come in a sequence. Anybody can begin attempts, so they get
 * no more memory than ATTEMPT_SETS sets: in a full set a new one replaces an old one.
 *
 *   63                  37 36            29 28     24 23      20 19               0
 *  +----------------------+----------------+---------+----------+------------------+
 *  |         tag          |    sequence    |  steps  |  misses  |      began       |
 *  +----------------------+----------------+---------+----------+------------------+
 *
 * (A big-endian compiler lays out bit fields from bit 63 on; it does so for both sides.)
 */
#define ATTEMPT_TAG_BITS 27

union attempt {
	__u64 word; /* all of it, for compare-and-swap; 0: no attempt */
	struct {
		__u64 began : 20; /* in ATTEMPT_TICK, modulo ATTEMPT_TIMES */
		__u64 misses : 4; /* wrong touches so far */
		__u64 steps : 5; /* right touches so far; 0: no attempt */
		__u64 sequence : 8; /* the number of the sequence */
		__u64 tag : ATTEMPT_TAG_BITS; /* attempt_tag() of the source's hash */
	};
};

/* The fields that say which attempt it is. */
#define ATTEMPT_NAME                                                                           \
	((union attempt){ .sequence = (1 << 8) - 1, .tag = (1 << ATTEMPT_TAG_BITS) - 1 }.word)

/* The upper bits of a keyed hash of a source. Lower bits of it choose the set. */
static inline __u64 attempt_tag(__u64 hash)
{
	return hash >> (64 - ATTEMPT_TAG_BITS);
}

#define ATTEMPT_TICK 26 /* a shift: times are in units of 2^26 ns, 1/15 s */
#define ATTEMPT_TIMES (1u << 20) /* 19 hours */
#define ATTEMPT_MISSES 15 /* the largest number that `misses` can hold */
#define ATTEMPT_SECONDS 3600 /* the longest time that a rule can give an attempt */

/* An attempt can be in any word of its set. */
#define ATTEMPT_SETS 8192
#define ATTEMPT_WAYS 8

struct attempts {
	__u64 words[ATTEMPT_WAYS]; /* union attempt */
};

/* A grant lets a source in through a door, after a knock or by "portctl knock grant". */
#define MAX_GRANTS 16384

struct grant_key {
	__u8 address[16]; /* network byte order; IPv4 in the first four bytes, then zeros */
	__u32 family; /* 4 or 6 */
	__u32 door;
};

struct grant {
	__u64 deadline; /* nanoseconds since boot */
	__u64 opener; /* DOOR_ONCE: the connection that used it (bpf/knock/grant.h); 0: none */
	__u64 window; /* DOOR_TIMED: the last window used; kept after the deadline */
};

/*
 * A source is locked out after LOCKOUT_FAILURES failed attempts, each within LOCKOUT_SECONDS
 * of the one before. Its knocks are then ignored until LOCKOUT_SECONDS after the last failure.
 */
#define MAX_LOCKOUTS 4096
#define LOCKOUT_FAILURES 5
#define LOCKOUT_SECONDS 60

struct lockout_key {
	__u8 address[16]; /* network byte order; IPv6: the first 8 bytes, then zeros */
	__u32 family; /* 4 or 6 */
	__u32 zero;
};

struct lockout {
	__u64 last; /* the last failure, nanoseconds since boot */
	__u64 failures;
};

/* What happened at a door. */
struct door_counts {
	__u64 attempts; /* first steps */
	__u64 steps; /* further steps */
	__u64 misses; /* wrong touches during an attempt */
	__u64 failures; /* attempts that ended by too many misses */
	__u64 grants;
	__u64 closed; /* grants ended by a closing sequence or a signed knock */
	__u64 refusals; /* knocks of locked-out sources, bad signatures, grants without room */
	__u64 replays; /* signatures or windows that were used before */
};

_Static_assert(sizeof(struct door) == 168, "struct door");
_Static_assert(sizeof(struct windows) == 8 + WINDOWS * 80, "struct windows");
_Static_assert((int)SEQUENCES <= DOOR_SEQUENCES && WINDOWS <= DOOR_SEQUENCES, "sequences");
_Static_assert(SEQUENCE_NUMBERS <= 1 << 8, "the field `sequence` holds every number");
_Static_assert(MAX_STEPS < 1 << 5, "the field `steps` holds every step");
_Static_assert(sizeof(union attempt) == sizeof(__u64), "union attempt: one word");
_Static_assert(sizeof(struct attempts) == 64, "struct attempts: a cache line");
_Static_assert(ATTEMPT_SECONDS * 1000000000ull >> ATTEMPT_TICK < ATTEMPT_TIMES,
	       "the field `began` does not wrap around during an attempt");
_Static_assert(sizeof(struct grant_key) == 24, "struct grant_key");
_Static_assert(sizeof(struct lockout_key) == 24, "struct lockout_key");

#endif
