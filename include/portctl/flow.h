/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows: conversations that this host, or a host behind it, began. The table of flows holds
 * UDP, ICMP echo, and TCP that has no local socket.
 */
#ifndef PORTCTL_FLOW_H
#define PORTCTL_FLOW_H

#include "portctl/types.h"

/* A conversation, as seen from this host. Addresses and ports are in network byte order. */
struct flow_key {
	__u8 remote[16]; /* IPv4 in the first four bytes, then zeros */
	__u8 local[16];
	__be16 remote_port; /* ICMP echo: the identifier */
	__be16 local_port; /* ICMP echo: 0 */
	__u8 protocol;
	__u8 family; /* 4 or 6 */
	__u16 zero;
};

/* How long a flow lives after its last outgoing packet, in seconds. */
#define FLOW_LIFE_UDP 180
#define FLOW_LIFE_TCP 7440 /* RFC 5382, REQ-5 */

/*
 * A slot of the flow table. Only the program on outgoing packets writes it (bpf/flow/flow.h).
 */
struct flow {
	__u64 tag[2]; /* a keyed hash of the struct flow_key */
	__u64 until; /* when the flow ends, in ticks (jiffies); 0: never used */
};

/*
 * A flow can be stored in one of two sets, chosen by its tag. 65,536 flows practically always
 * find a slot; of 200,000 most do.
 */
#define FLOW_WAYS 5
#define FLOW_SETS 65536

struct flow_set {
	struct flow flows[FLOW_WAYS];
	__u64 refused; /* new flows that found no slot */
};

/*
 * Elements of the map flow_ends: each covers FLOW_SETS / FLOW_ENDS sets and says when the
 * last of their flows ends, in ticks. Most packets of a flood that is no reply to anything are
 * recognised here. The sets themselves are too large for any cache.
 */
#define FLOW_ENDS 8192

_Static_assert(sizeof(struct flow_key) == 40, "struct flow_key");
_Static_assert(sizeof(struct flow_set) == 128, "struct flow_set: two cache lines");

#endif
