/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's list of the sockets of this network namespace (sock_diag(7)). */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <linux/inet_diag.h>
#include <stddef.h>

#define LOOPBACK_INDEX 1 /* the ifindex of "lo" in every network namespace */

/*
 * Called for each socket. `size` is the bytes of the message and its attributes. Returns 0, or a
 * negative errno to stop.
 */
typedef int (*socket_call)(const struct inet_diag_msg *message, size_t size, void *data);

/*
 * Calls `call` for the IPv4 and IPv6 sockets of a protocol that are in one of the states (bits:
 * 1 << TCP_LISTEN and so on). Returns 0 or a negative errno, and prints nothing.
 */
int sockets_each(int protocol, int states, socket_call call, void *data);

/* The same for sockets that listen (TCP), and for unconnected sockets (UDP). */
int sockets_each_listening(socket_call call, void *data);

#endif
