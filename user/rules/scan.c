// SPDX-License-Identifier: GPL-2.0-only
#include "rules/scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

#define TOKEN_SHOWN 64 /* bytes of a token that an error message quotes */

void word_list_add(struct word_list *list, const char *word)
{
	if (list->count == WORD_LIST_MAX)
		abort(); /* the grammar has outgrown WORD_LIST_MAX */
	list->words[list->count++] = word;
}

/* Counts an error at a token and prints the message up to what was expected. */
static FILE *wrong_begin(struct scanner *scan, const struct token *token)
{
	FILE *out = scan->report->out;

	scan->report->errors++;
	fprintf(out, "%s:%u:%td: ", scan->report->file, scan->row,
		token->start - scan->line + 1);
	if (token->kind == TOKEN_END) {
		fputs("the line ends, ", out);
		return out;
	}
	fputs("found \"", out);
	for (size_t i = 0; i < token->length && i < TOKEN_SHOWN; i++)
		fputc(isprint((unsigned char)token->text[i]) ? token->text[i] : '?', out);
	fputs("\", ", out);
	return out;
}

int scan_wrong(struct scanner *scan, const struct token *token, const char *format, ...)
{
	FILE *out = wrong_begin(scan, token);
	va_list arguments;

	va_start(arguments, format);
	vfprintf(out, format, arguments);
	va_end(arguments);
	fputc('\n', out);
	return -EINVAL;
}

int scan_wrong_word(struct scanner *scan, const char *prefix, const struct word_list *list)
{
	FILE *out = wrong_begin(scan, &scan->token);

	for (size_t i = 0; i < list->count; i++) {
		const char *before = !i ? prefix : i + 1 < list->count ? ", " : " or ";

		fprintf(out, "%s%s", before, list->words[i]);
	}
	fputc('\n', out);
	return -EINVAL;
}

static bool ends_word(char c)
{
	return !c || isspace((unsigned char)c) || c == ',' || c == '"' || c == '#';
}

/* A string ends at the next quote without a backslash before it. */
static int scan_string(struct scanner *scan)
{
	const char *pos = scan->pos + 1;

	while (*pos && *pos != '\n' && *pos != '"')
		pos += *pos == '\\' && pos[1] && pos[1] != '\n' ? 2 : 1;
	scan->token.kind = TOKEN_STRING;
	scan->token.text = scan->pos + 1;
	scan->token.length = pos - scan->token.text;
	if (*pos != '"')
		return scan_wrong(scan, &scan->token, "expected a closing quote");
	scan->pos = pos + 1;
	return 0;
}

/* A comment in the text is the end of its line. */
static int scan_comment(struct scanner *scan)
{
	if (scan->report->no_comments) {
		scan->token.length = strcspn(scan->pos, "\n");
		return scan_wrong(scan, &scan->token, "expected \"#\" in a comment only");
	}
	scan->token.kind = TOKEN_END;
	return 0;
}

int scan_next(struct scanner *scan)
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

bool token_is(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && strlen(word) == token->length &&
	       !memcmp(token->text, word, token->length);
}

size_t token_copy(const struct token *token, char *text)
{
	size_t length = 0;

	for (size_t i = 0; i < token->length; i++) {
		if (token->kind == TOKEN_STRING && token->text[i] == '\\' &&
		    i + 1 < token->length)
			i++;
		text[length++] = token->text[i];
	}
	text[length] = 0;
	return length;
}

int scan_time(struct scanner *scan, __u32 max, __u32 *seconds, const char *expected)
{
	const struct token *token = &scan->token;

	if (token->kind != TOKEN_WORD || time_parse(token->text, token->length, max, seconds))
		return scan_wrong(scan, token, "%s", expected);
	return scan_next(scan);
}

void time_print(__u32 seconds, FILE *out)
{
	if (seconds % 86400 == 0)
		fprintf(out, "%ud", seconds / 86400);
	else if (seconds % 3600 == 0)
		fprintf(out, "%uh", seconds / 3600);
	else if (seconds % 60 == 0)
		fprintf(out, "%um", seconds / 60);
	else
		fprintf(out, "%us", seconds);
}

void quoted_print(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

bool needs_quotes(const char *text)
{
	const char *end = text;

	while (!ends_word(*end))
		end++;
	return end == text || *end;
}
