/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A row of output while it is put together: for what is printed a hundred thousand
 * times, where a call of stdio for each of its pieces takes longer than all the rest.
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

/* Writes out what was put into the row, and empties it. */
void row_flush(struct row *row);

/*
 * Puts `length` bytes into the row, and blanks behind them up to `width` columns. A row that
 * gets too long is written out in parts.
 */
void row_bytes(struct row *row, const char *bytes, size_t length, size_t width);

/* A number, to the right of so many columns, 16 at the most. */
void row_number(struct row *row, __u64 number, size_t width);

/* A text, to the left of so many columns. In line: most lengths are known when compiled. */
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
