/* SPDX-License-Identifier: GPL-2.0-only */
/* What listens on this host, and whose it is. */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <sys/types.h>

#include "rules/ruleset.h"

struct listener {
	__u32 key; /* a port key */
	struct prefix address; /* all zeros: any */
	bool both; /* an IPv6 socket that is there for IPv4 as well */
	unsigned int ifindex; /* the interface it is bound to; 0: to none */
	uid_t uid;
	unsigned int inode;
	pid_t pid; /* 0: unknown */
	bool refused; /* it is, and some processes could not be looked into */
	char program[16];
};

/* Lists them by key, then address, without their processes. */
int listeners_sockets(struct listener **list, size_t *count);

/* Order: by key, then address, then process. */
int listener_compare(const void *left, const void *right);

/*
 * The same with their processes, which takes longer. Returns 0 or a negative errno and says nothing;
 * *list is to be freed. `hidden` is how many have a process that could not be seen.
 */
int listeners_list(struct listener **list, size_t *count, size_t *hidden);

/* Bits for the families of packets. */
enum families { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2, FAMILIES = FAMILY_IPV4 | FAMILY_IPV6 };

/* Those whose packets from other hosts it gets; 0 where only this host can reach it. */
unsigned char listener_families(const struct listener *listener);

/* The same as whether there is none. */
bool listener_is_local(const struct listener *listener);

#endif
