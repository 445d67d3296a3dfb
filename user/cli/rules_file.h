/* SPDX-License-Identifier: GPL-2.0-only */
/* Rulesets in files. */
#ifndef RULES_FILE_H
#define RULES_FILE_H

#include "rules/report.h"
#include "rules/ruleset.h"

/*
 * Reads a text file ("-": standard input) into *text, NUL-terminated, to be freed. Returns 0
 * or a negative errno, with the error printed.
 */
int rules_file_text(const char *path, char **text);

/*
 * Parses and checks the text of a ruleset file into *ruleset, which must be initialised.
 * Errors and warnings go to `messages`, with `path` before them. Returns 0, -ENOMEM with the
 * error printed, or as ruleset_parse() and ruleset_check().
 */
int rules_file_parse(const char *path, const char *text, struct ruleset *ruleset,
		     FILE *messages);

/*
 * Reads, parses and checks a ruleset file, with messages on standard error. Returns 0 or a
 * negative errno.
 */
int rules_file_read(const char *path, struct ruleset *ruleset);

/* Lets the report warn about rules for ports on which this host listens. */
void rules_file_listeners(struct report *report);

#endif
