/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames made by hand, to ask how they would be judged. */
#ifndef FRAME_H
#define FRAME_H

#include "rules/ruleset.h"

#define FRAME_SIZE 128

/* Bits of TCP's flags (RFC 9293, section 3.1). */
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
	__u8 protocol; /* TCP, UDP, or one without ports */
	__u16 source_port; /* host byte order */
	__u16 port;
	__u8 flags; /* enum tcp_flag */
};

/* Writes an Ethernet frame of at most FRAME_SIZE bytes; returns how many. */
size_t frame_build(const struct packet *packet, __u8 frame[FRAME_SIZE]);

#endif
