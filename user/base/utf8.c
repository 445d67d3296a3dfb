// SPDX-License-Identifier: GPL-2.0-only
#include "base/utf8.h"

#include <stdio.h>

#include "base/array.h"
#include "base/cleanup.h"

size_t utf8_length(const char *text)
{
	static const struct { /* RFC 3629, section 4 */
		unsigned char first, last; /* the range of the first byte */
		unsigned char low, high; /* the range of the second byte */
		size_t length;
	} forms[] = {
		{ 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
		{ 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 },
		{ 0xEE, 0xEF, 0x80, 0xBF, 3 }, { 0xF0, 0xF0, 0x90, 0xBF, 4 },
		{ 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
	};
	const unsigned char *bytes = (const unsigned char *)text;

	if (*bytes < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (*bytes < forms[i].first || *bytes > forms[i].last ||
		    bytes[1] < forms[i].low || bytes[1] > forms[i].high)
			continue;
		for (size_t k = 2; k < forms[i].length; k++) {
			if ((bytes[k] & 0xC0) != 0x80)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}

/* Returns a copy, to be freed, with each byte that is not UTF-8 as \xNN. */
static char *spell_out(const char *text)
{
	cleanup_free char *spelled = NULL;
	size_t size;
	FILE *out = open_memstream(&spelled, &size);

	if (!out)
		return NULL;
	while (*text) {
		size_t length = utf8_length(text);

		if (length)
			fwrite(text, 1, length, out);
		else
			fprintf(out, "\\x%02x", (unsigned char)*text);
		text += length ?: 1;
	}
	return fclose(out) ? NULL : TAKE_PTR(spelled);
}

json_t *text_json(const char *text)
{
	json_t *string = text ? json_string(text) : json_null(); /* NULL: not UTF-8 */
	cleanup_free char *spelled = string ? NULL : spell_out(text);

	return string ?: json_string(spelled);
}

json_t *format_json_list(const char *format, va_list arguments)
{
	cleanup_free char *text = NULL;

	return vasprintf(&text, format, arguments) < 0 ? NULL : text_json(text);
}

json_t *format_json(const char *format, ...)
{
	va_list arguments;
	json_t *string;

	va_start(arguments, format);
	string = format_json_list(format, arguments);
	va_end(arguments);
	return string;
}
