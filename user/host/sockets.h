/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's list of sockets (sock_diag(7)), of this network namespace. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <linux/inet_diag.h>
#include <stddef.h>

#define LOOPBACK_INDEX 1 /* of "lo", in every network namespace */

/* Called for each; `size` is that of the message and its attributes. 0, or -errno to stop. */
typedef int (*socket_call)(const struct inet_diag_msg *message, size_t size, void *data);

/*
 * Lists the sockets of a protocol that are in one of these states (a bit for each of
 * TCP's), of both families. Returns 0 or a negative errno and says nothing.
 */
int each_socket(int protocol, int states, socket_call call, void *data);

/* Those that listen: TCP, and UDP sockets that talk to nobody in particular. */
int each_listening(socket_call call, void *data);

#endif
