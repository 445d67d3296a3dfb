/* SPDX-License-Identifier: GPL-2.0-only */
/* Rulesets in files. */
#ifndef RULES_FILE_H
#define RULES_FILE_H

#include "rules/ruleset.h"

/*
 * Reads, parses and checks a ruleset file ("-": standard input) into *ruleset, which must be
 * initialised. Errors and warnings of the ruleset go to `messages`; an error in reading the
 * file goes to standard error. Returns 0 or a negative errno, with the error printed.
 */
int rules_file_check(const char *path, struct ruleset *ruleset, FILE *messages);

/* As rules_file_check(), with all messages on standard error. */
int rules_file_read(const char *path, struct ruleset *ruleset);

/* Prints why file_read() failed; returns `err`. */
int rules_file_fail(int err, const char *path);

/* Lets the report warn about rules for ports on which this host listens. */
void rules_file_listeners(struct report *report);

#endif
