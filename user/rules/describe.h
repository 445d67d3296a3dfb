/* SPDX-License-Identifier: GPL-2.0-only */
/* How the tables of the grammar describe themselves to help, manual and completions. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

/* Room for the longest term, with its NUL. */
#define DESCRIBED_TERM 64

/*
 * Called for each row of a table: `term` is what may be written, as in "limit RATE [burst N]";
 * `text` says what it means. Both are valid during the call only.
 */
typedef void describe_fn(const char *term, const char *text, void *data);

#endif
