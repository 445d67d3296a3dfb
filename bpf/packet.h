/* SPDX-License-Identifier: GPL-2.0-only */
/* What parse finds out about a packet; all that judge and charge know of it. */
#ifndef PACKET_H
#define PACKET_H

/* The way of the plain packet is laid out straight; the others jump aside. */
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* Where the headers begin, in bytes from the start of the frame; 0: unknown. */
union place {
	struct {
		__u16 network;
		__u16 transport;
	};
	__u32 packed; /* for functions, which take no structures */
};

struct packet {
	__u64 key; /* enum key, below KEYS: the entry that judges it */
	__u64 bytes; /* of the whole frame, in all its buffers */
	union place place;
};

#endif
