// SPDX-License-Identifier: GPL-2.0-only
#include "rules/scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

int wrong(struct scanner *scan, const struct token *token, const char *format, ...)
{
	FILE *out = scan->report->out;
	va_list args;

	scan->report->errors++;
	fprintf(out, "%s:%u:%td: ", scan->report->file, scan->row,
		token->start - scan->line + 1);
	if (token->kind == TOKEN_END) {
		fputs("the line ends", out);
	} else {
		fputs("found \"", out);
		for (size_t i = 0; i < token->length && i < 64; i++)
			fputc(isprint((unsigned char)token->text[i]) ? token->text[i] : '?',
			      out);
		fputc('"', out);
	}
	fputs(", ", out);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fputc('\n', out);
	return -EINVAL;
}

static bool ends_word(char c)
{
	return !c || isspace((unsigned char)c) || c == ',' || c == '"' || c == '#';
}

/* A string ends at the next quote that has no backslash before it. */
static int scan_string(struct scanner *scan)
{
	const char *pos = scan->pos + 1;

	while (*pos && *pos != '\n' && *pos != '"')
		pos += *pos == '\\' && pos[1] && pos[1] != '\n' ? 2 : 1;
	scan->token.kind = TOKEN_STRING;
	scan->token.text = scan->pos + 1;
	scan->token.length = pos - scan->token.text;
	if (*pos != '"')
		return wrong(scan, &scan->token, "expected a closing quote");
	scan->pos = pos + 1;
	return 0;
}

/* The rest of the line is not read, where it may be so. */
static int scan_comment(struct scanner *scan)
{
	if (scan->report->no_comments) {
		scan->token.length = strcspn(scan->pos, "\n");
		return wrong(scan, &scan->token, "expected \"#\" in a comment only");
	}
	scan->token.kind = TOKEN_END;
	return 0;
}

int advance(struct scanner *scan)
{
	while (*scan->pos != '\n' && isspace((unsigned char)*scan->pos))
		scan->pos++;
	scan->token =
		(struct token){ .kind = TOKEN_WORD, .text = scan->pos, .start = scan->pos };
	switch (*scan->pos) {
	case 0:
	case '\n':
		scan->token.kind = TOKEN_END;
		return 0;
	case '#':
		return scan_comment(scan);
	case ',':
		scan->token.kind = TOKEN_COMMA;
		scan->token.length = 1;
		scan->pos++;
		return 0;
	case '"':
		return scan_string(scan);
	}
	while (!ends_word(*scan->pos))
		scan->pos++;
	scan->token.length = scan->pos - scan->token.text;
	return 0;
}

bool is_word(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && strlen(word) == token->length &&
	       !memcmp(token->text, word, token->length);
}
