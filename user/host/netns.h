/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking from another network namespace: that of a container, say. */
#ifndef NETNS_H
#define NETNS_H

/*
 * Goes on in the network namespace that `name` names as `ip netns` does (a file in
 * /run/netns), by a path, or else by a process that is in it; NULL: in this one. What is
 * needed for that only is given up then. Returns 0 or a negative errno, having said why.
 */
int netns_enter(const char *name);

#endif
