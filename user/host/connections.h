/* SPDX-License-Identifier: GPL-2.0-only */
/* What sockets say: who has opened connections to this host, and where it listens. */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "rules/ruleset.h"

struct connection {
	struct prefix remote; /* a whole address */
	struct prefix local;
	__u16 remote_port; /* host byte order */
	__u16 local_port;
	unsigned int ifindex; /* of the device it is bound to; 0: none */
};

struct connections {
	struct connection *list;
	size_t count;
	size_t room;
};

/*
 * Lists the established connections of this network namespace whose local port
 * has a listener (sock_diag(7)). Returns 0 or a negative errno and says nothing;
 * the list is to be freed.
 */
int connections_inbound(struct connections *connections);

/*
 * Sets the port keys to 1 on which something listens here: TCP, and UDP sockets that
 * talk to nobody in particular. Returns 0 or a negative errno and says nothing.
 */
int listening_ports(unsigned char listening[PORT_KEYS]);

#endif
