/* SPDX-License-Identifier: GPL-2.0-only */
/* Text of any bytes (names of interfaces, files, users) as UTF-8, which JSON requires. */
#ifndef UTF8_H
#define UTF8_H

#include <jansson.h>
#include <stdarg.h>

/* The length in bytes of the UTF-8 character at `text`, or 0 if the bytes are not UTF-8. */
size_t utf8_length(const char *text);

/*
 * Makes a JSON string from a text of any bytes: each byte that is not UTF-8 becomes \xNN, and
 * NULL becomes null. Returns NULL if out of memory.
 */
json_t *text_json(const char *text);

/* text_json() of a printf() format. */
__attribute__((format(printf, 1, 2))) json_t *format_json(const char *format, ...);
json_t *format_json_list(const char *format, va_list arguments);

#endif
