/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: what the data path reports to monitors ("portctl monitor"). Each monitor makes a
 * ring buffer and puts it into one of the MONITORS elements of the map `events`. While there is
 * no monitor, nothing is reported.
 *
 * Drops and rejects are sampled: control.samples a second of each key, and EVENT_RATE a second
 * in all. Each other kind is limited to EVENT_RATE a second.
 */
#ifndef PORTCTL_EVENT_H
#define PORTCTL_EVENT_H

#include "portctl/key.h"
#include "portctl/types.h"

enum event_kind {
	EVENT_DROP,
	EVENT_REJECT,
	EVENT_ATTEMPT, /* the first step of a sequence */
	EVENT_STEP,
	EVENT_MISS,
	EVENT_FAILURE,
	EVENT_LOCKOUT,
	EVENT_GRANT,
	EVENT_CLOSE,
	EVENT_REFUSAL,
	EVENT_REPLAY,
	EVENT_KINDS,
	EVENT_NONE = EVENT_KINDS,
};

#define MONITORS 4
#define EVENT_SAMPLES 10 /* of each key in a second, by default */
#define EVENT_RATE 1000

struct event {
	__u64 time; /* nanoseconds since boot */
	__u32 kind; /* enum event_kind */
	__u32 ifindex; /* the interface that received the packet */
	__u32 key; /* enum key */
	__u32 line; /* of a drop or reject: the line it was charged to */
	__u32 door; /* of a knock; else 0 */
	__be32 signer; /* of a signed knock (struct signed_knock); else 0 */
	__u32 zero;
	__be16 port; /* of the source; 0 if it has none */
	__u8 family; /* 4 or 6; 0: no address */
	__u8 zero2;
	__u8 address[16]; /* of the source, network byte order; IPv4 in the first four bytes */
};

/*
 * The samples taken in the current second, of one interface. A monitor sets all of them to
 * zero once a second, so the data path needs no clock. SAMPLING_DONE means that no more samples
 * of the key are taken in this second.
 */
struct sampling {
	__u32 count; /* of all keys */
	__u32 zero;
	__u8 keys[KEYS];
};

#define SAMPLING_DONE 255

/* Events of one kind since the first attach. Drops and rejects over their rate do not count. */
struct event_count {
	__u64 due; /* the token bucket: when the next event is due, nanoseconds since boot */
	__u64 sent;
	__u64 lost; /* over the rate, or a ring buffer was full */
};

_Static_assert(sizeof(struct event) == 56, "struct event");
_Static_assert(sizeof(struct sampling) % 8 == 0, "no padding behind struct sampling");

#endif
