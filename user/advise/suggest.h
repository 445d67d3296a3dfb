/* SPDX-License-Identifier: GPL-2.0-only */
/* A ruleset for this host, from what listens on it and what was counted. */
#ifndef SUGGEST_H
#define SUGGEST_H

#include "host/connections.h"
#include "state/inventory.h"

struct suggestion {
	const struct inventory *inventory;
	const struct connections *connections; /* that are open */
};

/*
 * Prints it, with a reason for each line, and what is left out as comments. Returns 0 or
 * -ENOMEM, having said so.
 */
int suggest(const struct suggestion *suggestion, FILE *out);

#endif
