/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to the kernel by netlink(7), about this network namespace. */
#ifndef NETLINK_H
#define NETLINK_H

#include <linux/netlink.h>

/* Called for each message of an answer. Returns 0, or a negative errno to stop. */
typedef int (*netlink_call)(const struct nlmsghdr *message, void *data);

/*
 * Sends a request (NLM_F_REQUEST, and NLM_F_DUMP for a list) to a netlink family, and calls
 * `call` for each message of the answer. Returns 0 or a negative errno: the kernel's, or that of
 * `call`. Prints nothing.
 */
int netlink_request(int family, const struct nlmsghdr *request, netlink_call call, void *data);

#endif
