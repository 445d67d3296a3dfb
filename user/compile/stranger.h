/* SPDX-License-Identifier: GPL-2.0-only */
/* Strangers: source addresses that no rule names, for what any outsider would see. */
#ifndef STRANGER_H
#define STRANGER_H

#include "rules/ruleset.h"

#define STRANGERS 2 /* one of each family: IPv4, then IPv6 */

/*
 * Finds an address of each family that no rule has as a source: a public one if possible,
 * else any that a host may have. If sources cover a whole family, finds an address that only
 * the widest of them contain. Returns 0 or -ENOMEM.
 */
int strangers_find(const struct ruleset *ruleset, struct prefix strangers[STRANGERS]);

#endif
