/* SPDX-License-Identifier: GPL-2.0-only */
/* Suggests a ruleset for this host, from its listening sockets and the counters. */
#ifndef SUGGEST_H
#define SUGGEST_H

#include "host/connections.h"
#include "state/inventory.h"

struct suggestion {
	const struct inventory *inventory;
	const struct connections *connections; /* the open inbound connections */
};

/*
 * Prints a ruleset with a reason for each rule. Ports and rules that are left out follow as
 * comments. Returns 0, or -ENOMEM with a message.
 */
int suggest(const struct suggestion *suggestion, FILE *out);

#endif
