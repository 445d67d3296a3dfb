/* SPDX-License-Identifier: GPL-2.0-only */
/* Asking the kernel by netlink(7), of this network namespace. */
#ifndef NETLINK_H
#define NETLINK_H

#include <linux/netlink.h>

/* Called for each message of an answer. 0, or a negative errno to stop. */
typedef int (*netlink_call)(const struct nlmsghdr *message, void *data);

/*
 * Sends a request (NLM_F_REQUEST, and NLM_F_DUMP for a list) to a family of netlink and
 * calls back for what is answered. Returns 0, what the kernel or the call refuses with,
 * or another negative errno, and says nothing.
 */
int netlink_ask(int family, const struct nlmsghdr *request, netlink_call call, void *data);

#endif
