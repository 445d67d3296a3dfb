/* SPDX-License-Identifier: GPL-2.0-only */
/* The TCP connections that others have opened to this host. */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "ruleset.h"

struct connection {
	struct prefix remote; /* a whole address */
	struct prefix local;
	__u16 remote_port; /* host byte order */
	__u16 local_port;
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

#endif
