/* SPDX-License-Identifier: GPL-2.0-only */
/* The parser: text, or the words of a command line, to ruleset. One line is one statement. */
#ifndef RULESET_PARSE_H
#define RULESET_PARSE_H

#include "rules/report.h"
#include "rules/ruleset.h"

/*
 * Adds the statements of a text to *ruleset, which must be initialised and may hold rules.
 * Reports everything that is wrong. Returns 0, -EINVAL (reported), -ENOSPC over MAX_RULES
 * (reported), or -ENOMEM.
 */
int ruleset_parse(struct ruleset *ruleset, const char *text, struct report *report);

/*
 * Does the same for one statement from a command line: the words `first` and then `count`
 * more. The shell has taken the quotes off, so a word may have blanks.
 */
int ruleset_parse_words(struct ruleset *ruleset, const char *first, int count,
			char *const *words, struct report *report);

/*
 * The first word of statement `number` (from 0), as in "allow"; NULL if there are fewer
 * statements. For completions.
 */
const char *statement_word(size_t number);

/* Whether statement `number` is a rule, not a setting. */
bool statement_is_rule(size_t number);

#endif
