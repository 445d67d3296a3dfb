/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and durations as decimal text. */
#ifndef NUMBER_H
#define NUMBER_H

#include <linux/types.h>
#include <stddef.h>

/* Writes a number's decimal digits, at most 20, just before `end`. Returns the first digit. */
char *digits_before(char *end, __u64 number);

/*
 * Parses a whole number from the first `length` characters of text: digits only, at most
 * `max`. Returns 0, -EINVAL (not a number) or -ERANGE (over max); *value is set only on 0.
 */
int number_parse(const char *text, size_t length, unsigned long max, unsigned long *value);

/*
 * Parses a duration from the first `length` characters of text: a number and a unit, s, m, h
 * or d. *seconds is from 1 to max. Returns 0, -EINVAL or -ERANGE; *seconds is set only on 0.
 */
int time_parse(const char *text, size_t length, unsigned long max, unsigned int *seconds);

#endif
