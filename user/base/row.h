/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A buffer for one row of output. Lists have up to 131,072 rows, and a stdio call for each
 * column would take most of the time.
 */
#ifndef ROW_H
#define ROW_H

#include <linux/types.h>
#include <stdio.h>
#include <string.h>

struct row {
	FILE *out;
	size_t size;
	char text[1024];
};

/* Writes the buffer to row->out and empties it. */
void row_flush(struct row *row);

/* Appends `length` bytes, left-aligned in `width` columns. Flushes if the buffer is full. */
void row_bytes(struct row *row, const char *bytes, size_t length, size_t width);

/* Appends a number, right-aligned in `width` columns, at most 16. */
void row_number(struct row *row, __u64 number, size_t width);

/* Appends a text, left-aligned in `width` columns. Inline: most lengths are constants. */
static inline void row_text(struct row *row, const char *text, size_t width)
{
	size_t length = strlen(text);

	if (width || length > sizeof(row->text) - row->size) {
		row_bytes(row, text, length, width);
		return;
	}
	memcpy(row->text + row->size, text, length);
	row->size += length;
}

#endif
