/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from outside (names of interfaces, files, users) where only UTF-8 may be. */
#ifndef UTF8_H
#define UTF8_H

#include <jansson.h>
#include <stdarg.h>

/* How many bytes long the UTF-8 character at `text` is; 0: it is not one. */
size_t utf8_length(const char *text);

/*
 * A text of any bytes as a string of JSON: what is not UTF-8 becomes \xNN. NULL becomes
 * null. Returns NULL where memory ends.
 */
json_t *text_json(const char *text);

/* The same of what printf() would make. */
__attribute__((format(printf, 1, 2))) json_t *format_json(const char *format, ...);
json_t *format_json_list(const char *format, va_list arguments);

#endif
