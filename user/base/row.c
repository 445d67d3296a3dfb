// SPDX-License-Identifier: GPL-2.0-only
#include "base/row.h"

#include <stdbool.h>

#include "base/number.h"

#define DIGITS 20 /* of the largest number */
#define COLUMNS 16 /* the largest width of row_number() */

void row_flush(struct row *row)
{
	fwrite(row->text, 1, row->size, row->out);
	row->size = 0;
}

/* Flushes unless `size` bytes fit. Returns false if they do not fit an empty buffer either. */
static bool row_reserve(struct row *row, size_t size)
{
	if (size > sizeof(row->text) - row->size)
		row_flush(row);
	return size <= sizeof(row->text);
}

void row_bytes(struct row *row, const char *bytes, size_t length, size_t width)
{
	size_t size = length > width ? length : width;

	if (!row_reserve(row, size)) {
		fwrite(bytes, 1, length, row->out);
		return;
	}
	memcpy(row->text + row->size, bytes, length);
	memset(row->text + row->size + length, ' ', size - length);
	row->size += size;
}

void row_number(struct row *row, __u64 number, size_t width)
{
	char digits[COLUMNS + DIGITS], *end = digits + sizeof(digits);
	char *first = digits_before(end, number);
	size_t length = end - first;

	memset(first - COLUMNS, ' ', COLUMNS);
	if (width > length) {
		first -= width - length;
		length = width;
	}
	row_bytes(row, first, length, 0);
}
