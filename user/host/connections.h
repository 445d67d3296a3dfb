/* SPDX-License-Identifier: GPL-2.0-only */
/* The open connections to this host, and the ports that it listens on (sock_diag(7)). */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "portctl/key.h"
#include "rules/ruleset.h"

struct connection {
	struct prefix remote; /* whole addresses */
	struct prefix local;
	__u16 remote_port; /* host byte order */
	__u16 local_port;
	unsigned int ifindex; /* the device that the socket is bound to; 0: none */
};

struct connections {
	struct connection *list;
	size_t count;
	size_t room;
};

/*
 * Lists the established TCP connections of this network namespace whose local port has a
 * listener. Free connections->list, also after a failure. Returns 0 or a negative errno, and
 * prints nothing.
 */
int connections_inbound(struct connections *connections);

/*
 * Sets listening[key] to 1 for each port key that a socket listens on (TCP), or that an
 * unconnected socket is bound to (UDP); else to 0. Returns 0 or a negative errno, and prints
 * nothing.
 */
int connections_listening(unsigned char listening[PORT_KEYS]);

#endif
