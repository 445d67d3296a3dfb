/* SPDX-License-Identifier: GPL-2.0-only */
/* The ports of a rule: the list of terms between its first word and its clauses. */
#ifndef RULESET_TERMS_H
#define RULESET_TERMS_H

#include "rules/rule.h"
#include "rules/scan.h"

/*
 * Reads ports, with or without commas between them, up to a word for which `ends` is true.
 * Sorts them and keeps each once, so that rules that mean the same print the same. Returns 0,
 * -EINVAL (reported) or -ENOMEM.
 */
int terms_parse(struct scanner *scan, struct rule *rule,
		bool (*ends)(const struct token *token));

/* Prints the rule's ports, each with a blank before it. */
void terms_print(const struct rule *rule, FILE *out);

#endif
