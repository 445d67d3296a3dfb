/* SPDX-License-Identifier: GPL-2.0-only */
/* The sockets that listen on this host, and their processes. */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <sys/types.h>

#include "rules/ruleset.h"

struct listener {
	__u32 key; /* a port key */
	struct prefix address; /* a whole address; all zeros: any */
	bool both; /* an IPv6 socket that receives IPv4 as well */
	unsigned int ifindex; /* the interface that the socket is bound to; 0: none */
	uid_t uid; /* of the socket */
	unsigned int inode; /* of the socket */
	pid_t pid; /* 0: unknown */
	bool refused; /* the process is unknown, and some processes could not be inspected */
	char program[16]; /* the process's name */
};

/*
 * Lists the listeners by key, then address, without their processes. Free *list, also after a
 * failure. Returns 0 or a negative errno, and prints nothing.
 */
int listeners_sockets(struct listener **list, size_t *count);

/* For qsort(3): by key, then address, then process. */
int listener_compare(const void *left, const void *right);

/*
 * As listeners_sockets(), with the processes, which takes longer. *hidden becomes the number of
 * listeners whose process is unknown.
 */
int listeners_list(struct listener **list, size_t *count, size_t *hidden);

/* Families of packets, as bits. */
enum families { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2, FAMILIES = FAMILY_IPV4 | FAMILY_IPV6 };

/* The families in which other hosts can reach a listener; 0: only this host can. */
unsigned char listener_families(const struct listener *listener);

/* The families in which other hosts can reach one of `count` listeners. */
unsigned char listeners_families(const struct listener *listeners, size_t count);

/* Whether only this host can reach a listener. */
bool listener_is_local(const struct listener *listener);

#endif
