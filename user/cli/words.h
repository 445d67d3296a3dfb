/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules on the command line. */
#ifndef WORDS_H
#define WORDS_H

#include "rules/ruleset.h"

/*
 * Parses `first` and `count` words of the command line as one statement into *ruleset, which
 * must be initialised. Errors are printed as "argv:1:COLUMN: ...". Returns as
 * ruleset_parse().
 */
int words_parse(const char *first, int count, char **words, struct ruleset *ruleset);

#endif
