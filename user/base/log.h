/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages to a person, on standard error. */
#ifndef LOG_H
#define LOG_H

#include <stdio.h>

/*
 * Prints one line "portctl: ..." that says what failed, why, and what to do. Control characters
 * are shown as "?". Returns `err`, so that callers can write `return fail(-EINVAL, ...)`.
 */
__attribute__((format(printf, 2, 3))) int fail(int err, const char *format, ...);

/* Prints "out of memory" as fail() does. Returns -ENOMEM. */
int out_of_memory(void);

/* Prints one line "portctl: note: ..." about something that is not a failure. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);

/* Sends all later messages to `to`, or to standard error again if `to` is NULL. */
void log_capture(FILE *to);

#endif
