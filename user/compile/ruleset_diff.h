/* SPDX-License-Identifier: GPL-2.0-only */
/* The differences between two rulesets. */
#ifndef RULESET_DIFF_H
#define RULESET_DIFF_H

#include "rules/ruleset.h"

typedef void difference_fn(char sign, const char *statement, void *data);

/*
 * Calls back for each statement that only one of the rulesets has, with sign '-' for `from`
 * and '+' for `to`. Then calls back twice, with '-' and with '+', for each rule that both
 * have, but in another order relative to an equally specific rule: packets are charged to
 * the first of such rules, and its limit applies. `found` may be NULL. Returns the number
 * of calls, or -ENOMEM.
 */
long ruleset_diff(const struct ruleset *from, const struct ruleset *to, difference_fn *found,
		  void *data);

#endif
