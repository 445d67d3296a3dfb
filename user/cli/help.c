// SPDX-License-Identifier: GPL-2.0-only
#include "cli/help.h"

#include <stdbool.h>
#include <string.h>
#include <sys/param.h>

#define INDENT 2 /* of terms */
#define GAP 2 /* between term and text */
#define COLUMN_MAX 26 /* where texts begin at the latest */
#define DESCRIBED_COLUMN 24 /* where texts of the grammar's tables begin */

static void print_blanks(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

/* Prints the text up to `end`. `column` is where the output is, and where new lines begin. */
static void print_wrapped(FILE *out, size_t column, const char *text, const char *end)
{
	size_t at = column;

	while (text < end) {
		size_t length = strcspn(text, " \n");

		if (at > column && at + 1 + length > HELP_COLUMNS) {
			fputc('\n', out);
			print_blanks(out, column);
			at = column;
		} else if (at > column) {
			fputc(' ', out);
			at++;
		}
		fwrite(text, 1, length, out);
		at += length;
		text += length + strspn(text + length, " ");
	}
	fputc('\n', out);
}

void help_text(FILE *out, const char *text)
{
	bool paragraph = false;

	while (*text) {
		const char *end = strchrnul(text, '\n');

		if (paragraph)
			fputc('\n', out);
		paragraph = *text != ' ';
		if (!paragraph)
			fprintf(out, "%.*s\n", (int)(end - text), text);
		else
			print_wrapped(out, 0, text, end);
		text = *end ? end + 1 : end;
	}
}

void help_row(FILE *out, size_t column, const char *term, const char *text)
{
	size_t end = INDENT + strlen(term);

	print_blanks(out, INDENT);
	fputs(term, out);
	if (!text) {
		fputc('\n', out);
		return;
	}
	if (end + GAP > column) {
		fputc('\n', out);
		end = 0;
	}
	print_blanks(out, column - end);
	print_wrapped(out, column, text, strchr(text, 0));
}

void help_described(const char *term, const char *text, void *data)
{
	help_row(data, DESCRIBED_COLUMN, term, text);
}

void help_rows(FILE *out, const struct help_row *rows)
{
	size_t column = 0;

	for (const struct help_row *row = rows; row->term; row++) {
		size_t end = INDENT + strlen(row->term) + GAP;

		if (end <= COLUMN_MAX)
			column = MAX(column, end);
	}
	for (const struct help_row *row = rows; row->term; row++)
		help_row(out, column ?: COLUMN_MAX, row->term, row->text);
}
