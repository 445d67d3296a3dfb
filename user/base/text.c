// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

size_t text_index(const char *const *table, size_t count, const char *name)
{
	size_t i = 0;

	while (i < count && strcmp(table[i], name))
		i++;
	return i;
}

bool text_has_controls(const char *text)
{
	for (; *text; text++) {
		unsigned char c = text[0], next = text[1];

		/* U+0080 to U+009F are control characters as well: C2 80 to C2 9F. */
		if (iscntrl(c) || (c == 0xC2 && next < 0xA0))
			return true;
	}
	return false;
}

void text_hide_controls(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0)
			at[0] = at[1] = '?';
		else if (iscntrl(*at))
			*at = '?';
	}
}

char *text_shown(const char *text)
{
	char *copy = strdup(text);

	if (copy)
		text_hide_controls(copy);
	return copy;
}

bool text_is_showable(const char *text)
{
	json_auto_t *string = json_string(text); /* NULL unless it is UTF-8 */

	return string && !text_has_controls(text);
}

void text_clean(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}
