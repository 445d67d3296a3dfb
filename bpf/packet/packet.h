/* SPDX-License-Identifier: GPL-2.0-only */
/* What parsing finds out about a packet: all that judging and counting it need. */
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H

#include "base/kernel.h"
#include "portctl/key.h"

struct cpu_counters;

/*
 * Where the headers begin, in bytes from the start of the frame; 0: not known. Both are in
 * one number because BPF functions take no structures and at most five arguments.
 *
 *   31           16 15            0
 *  +---------------+---------------+
 *  |   transport   |    network    |
 *  +---------------+---------------+
 */
typedef __u32 offsets_t;

#define OFFSETS_TRANSPORT_SHIFT 16

static __always_inline offsets_t offsets_make(__u32 network, __u32 transport)
{
	return transport << OFFSETS_TRANSPORT_SHIFT | network;
}

static __always_inline __u32 offsets_network(offsets_t offsets)
{
	return offsets & ((1 << OFFSETS_TRANSPORT_SHIFT) - 1);
}

static __always_inline __u32 offsets_transport(offsets_t offsets)
{
	return offsets >> OFFSETS_TRANSPORT_SHIFT;
}

struct packet {
	struct cpu_counters *own; /* of this CPU; NULL: it came online after attach */
	__u64 key; /* enum key, below KEYS: the entry that judges the packet */
	__u64 bytes; /* of the whole frame, in all its buffers */
	offsets_t offsets;
	__u32 may_reply; /* 0: a TCP segment that opens a connection */
	__u32 slot; /* of the generation that judges it; use packet_slot() */
};

/* The mask proves to the verifier that it is 0 or 1. */
static __always_inline __u32 packet_slot(const struct packet *packet)
{
	return packet->slot & 1;
}

#endif
