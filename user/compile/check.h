/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong with a ruleset as a whole: contradictions, rules that never match, knocks. */
#ifndef CHECK_H
#define CHECK_H

#include "rules/report.h"
#include "rules/ruleset.h"

/*
 * Reports as errors: rules that contradict each other, too many rules that overlap, and what
 * knocks_check() finds. Reports as warnings, about the rules from index `first` on: rules
 * that can never match, and weak knocks. Returns 0, -EINVAL if there are errors, or -ENOMEM.
 */
int ruleset_check(const struct ruleset *ruleset, size_t first, struct report *report);

/*
 * Checks a ruleset made by changing the running one: reports all errors, but only those
 * warnings that the running one does not give. Returns like ruleset_check().
 */
int ruleset_check_change(const struct ruleset *next, const struct ruleset *running,
			 struct report *report);

#endif
