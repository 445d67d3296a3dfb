/* SPDX-License-Identifier: GPL-2.0-only */
/* Help as text: two columns, wrapped at HELP_COLUMNS. */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

#define HELP_COLUMNS 80

/*
 * Prints "  TERM  TEXT". The text begins at `column` and is wrapped; it begins on a line of its
 * own if the term reaches the column. `text` may be NULL.
 */
void help_row(FILE *out, size_t column, const char *term, const char *text);

/* Several rows of help. The last one has no term. */
struct help_row {
	const char *term;
	const char *text;
};

/* Prints rows whose texts begin at the same column, behind the longest term. */
void help_rows(FILE *out, const struct help_row *rows);

#endif
