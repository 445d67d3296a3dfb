/* SPDX-License-Identifier: GPL-2.0-only */
/* Somebody whom no rule names: what he sees, anybody does. */
#ifndef STRANGER_H
#define STRANGER_H

#include "rules/ruleset.h"

#define STRANGERS 2 /* one of each family: IPv4, then IPv6 */

/*
 * Finds an address of each family that is in no source of any rule: a public one, or
 * else one that a host may have. Where sources cover a family, the widest are taken for
 * what they say of everybody, and it is one that only they name. Returns 0 or -ENOMEM.
 */
int strangers_find(const struct ruleset *ruleset, struct prefix strangers[STRANGERS]);

#endif
