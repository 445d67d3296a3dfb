/* SPDX-License-Identifier: GPL-2.0-only */
/* Network namespaces: telling them apart, and entering another one. */
#ifndef NETNS_H
#define NETNS_H

#include <linux/types.h>

/*
 * Reads the cookie of this network namespace. Unlike the inode number, the kernel never uses a
 * cookie again. Returns 0 or a negative errno after saying why.
 */
int netns_cookie(__u64 *cookie);

/*
 * Enters a network namespace, and then gives up the privilege that this took. `name` is a name
 * as "ip netns" uses it (a file in /run/netns), a path, or the process ID of a process in the
 * namespace; with NULL the process stays where it is. Returns 0 or a negative errno after saying
 * why.
 */
int netns_enter(const char *name);

#endif
