/* SPDX-License-Identifier: GPL-2.0-only */
/* Building a frame, to find out how the data path would judge it. */
#ifndef FRAME_H
#define FRAME_H

#include "rules/ruleset.h"

#define FRAME_SIZE 128

/* Flags of the TCP header (RFC 9293, section 3.1). */
enum tcp_flag {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_PSH = 8,
	TCP_ACK = 16,
	TCP_URG = 32,
};

struct packet {
	struct prefix source; /* whole addresses of one family */
	struct prefix destination;
	__u8 protocol; /* IPPROTO_*: TCP, UDP, or a protocol without ports */
	__u16 source_port; /* host byte order; TCP and UDP */
	__u16 port; /* of the destination */
	__u8 flags; /* enum tcp_flag */
};

/*
 * Writes an Ethernet frame with this packet. ICMP becomes an echo request; any other protocol
 * without ports gets 8 zero bytes. Returns the size in bytes, at most FRAME_SIZE.
 */
size_t frame_build(const struct packet *packet, __u8 frame[FRAME_SIZE]);

#endif
