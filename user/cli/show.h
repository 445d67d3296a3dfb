/* SPDX-License-Identifier: GPL-2.0-only */
/* Output of "list" and "status", which other commands print with -j. */
#ifndef SHOW_H
#define SHOW_H

#include "kernel/datapath.h"
#include "rules/ruleset.h"

/*
 * Prints what "list" prints for a ruleset whose rules have their lines. Unlocks the datapath
 * before it prints. Returns 0 or a negative errno, with the error printed.
 */
int show_list(struct datapath *dp, const struct ruleset *ruleset, bool json);

/* Prints what "status" prints for the running ruleset. Otherwise like show_list(). */
int show_status(struct datapath *dp, bool json);

#endif
