/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from outside (names, comments) made safe for a terminal, and names found in tables. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The index of a name in a table of `count` names, or `count` if it is not there. */
size_t text_index(const char *const *table, size_t count, const char *name);

/* Whether a text is UTF-8 without control characters. */
bool text_is_showable(const char *text);

/* Whether a text has control characters: ASCII's, or U+0080 to U+009F in UTF-8. */
bool text_has_controls(const char *text);

/* Replaces each control character by "?", in place. */
void text_hide_controls(char *text);

/* Returns a copy without control characters, to be freed; NULL if out of memory. */
char *text_shown(const char *text);

/* Replaces each byte that is not printable ASCII by "?", in place. */
void text_clean(char *text);

#endif
