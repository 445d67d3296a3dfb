/* SPDX-License-Identifier: GPL-2.0-only */
/* What is said to a person, on standard error. */
#ifndef LOG_H
#define LOG_H

#include <stdio.h>

/*
 * One line that begins with "portctl: ": what failed, on what, why, what to do. Control
 * characters in it are shown as "?".
 * Returns `err`, so that the place that knows most can say it and leave.
 */
__attribute__((format(printf, 2, 3))) int fail(int err, const char *format, ...);

/* Says that there is no memory left. Returns -ENOMEM. */
int out_of_memory(void);

/* As fail(), for something that did not fail but should be known. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);

/* From now on it goes to `to`; NULL: to standard error again. */
void log_capture(FILE *to);

#endif
