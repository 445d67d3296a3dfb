/* SPDX-License-Identifier: GPL-2.0-only */
/* Errors and warnings about a ruleset's text: one line each, "FILE:LINE:COLUMN: ...". */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct report {
	FILE *out;
	const char *file; /* "argv" for the command line */
	const char *unit; /* what a rule's row counts: NULL: lines of a file; "rule": rules */
	bool no_comments; /* refuse "#" outside of quotes, as on the command line */
	const unsigned char *listening; /* 1 for each port key with a listener; NULL: unknown */
	unsigned int errors;
	unsigned int warnings;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/*
 * Counts an error or warning about a whole rule and prints the beginning of its message:
 * "FILE:ROW:1: ", and "warning: " for a warning. The caller prints the rest and a newline.
 * `row` is the rule's row; if it isn't a line (`unit`), the message says line 1.
 */
void report_begin(struct report *report, enum severity severity, unsigned int row);

/* Reports a whole message about the rule in that row, without a newline in `format`. */
__attribute__((format(printf, 4, 5))) void report_rule(struct report *report,
						       enum severity severity, unsigned int row,
						       const char *format, ...);

/* What a row is called in a message, as in "line 7": "line" or the report's unit. */
const char *report_unit(const struct report *report);

#endif
