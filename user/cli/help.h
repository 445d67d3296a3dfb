/* SPDX-License-Identifier: GPL-2.0-only */
/* Help as text: paragraphs, and rows of two columns. Both are wrapped at HELP_COLUMNS. */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

#define HELP_COLUMNS 80

/*
 * Prints a text: each line is a paragraph, wrapped and set apart by an empty line; but a line
 * that begins with a blank is printed as it is. The last line needs no newline.
 */
void help_text(FILE *out, const char *text);

/*
 * Prints "  TERM  TEXT". The text begins at `column` and is wrapped; it begins on a line of its
 * own if the term reaches the column. `text` may be NULL.
 */
void help_row(FILE *out, size_t column, const char *term, const char *text);

/* A describe_fn (rules/describe.h) that prints a row; `data` is the FILE. */
void help_described(const char *term, const char *text, void *data);

/* Several rows of help. The last one has no term. */
struct help_row {
	const char *term;
	const char *text;
};

/* Prints rows whose texts begin at the same column, behind the longest term. */
void help_rows(FILE *out, const struct help_row *rows);

#endif
