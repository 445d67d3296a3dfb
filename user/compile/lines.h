/* SPDX-License-Identifier: GPL-2.0-only */
/* Which lines count the packets of a rule, and which door a knock is. */
#ifndef LINES_H
#define LINES_H

#include "rules/ruleset.h"

/*
 * Gives every rule of `next` its lines, and every knock its door. A rule that `active` has
 * too keeps what it has there, so that its counters and grants go on, and its end, unless
 * `next` sets another. All other rules get lines and doors that no rule of `active` has.
 * Returns 0, -ENOMEM, or -EUSERS if lines or doors run out.
 */
int assign_lines(struct ruleset *next, const struct ruleset *active);

#endif
