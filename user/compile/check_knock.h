/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong or weak with the knocks of a ruleset. Part of ruleset_check(). */
#ifndef CHECK_KNOCK_H
#define CHECK_KNOCK_H

#include "rules/report.h"
#include "rules/ruleset.h"

/*
 * Reports as errors: a second knock of a name, more than MAX_DOORS knocks, a door whose port a
 * rule opens to every source on interfaces that no rule names, and steps that a port scan would
 * get right. Reports as warnings, about the rules from index `first` on: steps that are easy to
 * guess, steps that are not noticed, and steps that shut a service. Returns 0, -EINVAL or
 * -ENOMEM.
 */
int knocks_check(const struct ruleset *ruleset, size_t first, struct report *report);

#endif
