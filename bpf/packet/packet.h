/* SPDX-License-Identifier: GPL-2.0-only */
/* What parse finds out about a packet; all that judge and charge know of it. */
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H

#include "base/kernel.h"

/*
 * Where the headers begin, in bytes from the start of the frame; 0: unknown. In one
 * number: functions take no structures, and the plain packet's way needs one register.
 */
static __always_inline __u32 place_network(__u32 place)
{
	return place & 0xFFFF;
}

static __always_inline __u32 place_transport(__u32 place)
{
	return place >> 16;
}

struct packet {
	struct cpu_counters *own; /* of this CPU; NULL: it came online later */
	__u64 key; /* enum key, below KEYS: the entry that judges it */
	__u64 bytes; /* of the whole frame, in all its buffers */
	__u32 place;
	__u32 may_reply; /* 0: a TCP segment that opens a connection */
	__u32 slot; /* of the generation that judges it */
};

/* The verifier wants to see that it is 0 or 1. */
static __always_inline __u32 packet_slot(const struct packet *packet)
{
	return packet->slot & 1;
}

#endif
