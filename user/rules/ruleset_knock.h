/* SPDX-License-Identifier: GPL-2.0-only */
/* The statement "knock NAME [KIND] opens PORTS CLAUSE...": parse, print, compare. */
#ifndef RULESET_KNOCK_H
#define RULESET_KNOCK_H

#include "rules/rule.h"
#include "rules/scan.h"

/* Frees a knock and what it holds; NULL is allowed. */
void knock_free(struct knock *knock);

/*
 * Reads what follows the word "knock" into a rule, whose `knock` it allocates. Returns 0,
 * -EINVAL (reported) or -ENOMEM; rule_clear() frees the rule in each case.
 */
int knock_parse(struct scanner *scan, struct rule *rule);

/* Prints "knock NAME ..." without the clauses of ruleset_clauses.h. */
void knock_print(const struct rule *rule, FILE *out);

/* Whether two knocks are equal except for their ports. */
bool knock_same(const struct knock *a, const struct knock *b);

#endif
