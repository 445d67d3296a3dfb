/* SPDX-License-Identifier: GPL-2.0-only */
/* What bpf/listen.bpf.c reports about listening sockets. */
#ifndef PORTCTL_SOCKET_H
#define PORTCTL_SOCKET_H

#include "portctl/types.h"

enum socket_news {
	SOCKET_LISTENS, /* TCP: it begins to listen; UDP: it was bound to a port */
	SOCKET_ENDS, /* TCP: it no longer listens */
};

struct socket_event {
	__u64 time; /* nanoseconds since boot */
	__u32 news; /* enum socket_news */
	__u32 key; /* a port key (enum key) */
	__u32 pid; /* of the process that did it */
	__u32 uid;
	__u32 family; /* 4 or 6 */
	__u8 address[16]; /* network byte order; IPv4 in the first four bytes */
	char program[16]; /* the name of the process, NUL-terminated */
	__u32 unused;
};

_Static_assert(sizeof(struct socket_event) == 64, "struct socket_event");

#endif
