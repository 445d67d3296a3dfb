/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tokens of a ruleset's text: reading them, reporting a wrong one, and printing them so that
 * reading gives the same again. Knows nothing of the grammar.
 */
#ifndef SCAN_H
#define SCAN_H

#include <linux/types.h>
#include <stddef.h>

#include "rules/report.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_COMMA, TOKEN_STRING };

struct token {
	enum token_kind kind;
	const char *text; /* not terminated; of a string, what is between the quotes */
	size_t length;
	const char *start; /* where the token begins in the text, a quote included */
};

/* One line of text being read; `token` is the next token that no parser has used. */
struct scanner {
	const char *line;
	const char *pos;
	unsigned int row;
	struct token token;
	struct report *report;
};

/* The words that an error message offers, as in "a port, from, on or the end". */
#define WORD_LIST_MAX 32

struct word_list {
	const char *words[WORD_LIST_MAX];
	size_t count;
};

void word_list_add(struct word_list *list, const char *word);

/*
 * Reports an error at a token: "FILE:LINE:COLUMN: found "TOKEN", " and the formatted text.
 * Bytes of the token that are not printable ASCII are shown as "?". Returns -EINVAL.
 */
__attribute__((format(printf, 3, 4))) int scan_wrong(struct scanner *scan,
						     const struct token *token,
						     const char *format, ...);

/* Reports that the next token is none of the words: "PREFIX A, B or C". Returns -EINVAL. */
int scan_wrong_word(struct scanner *scan, const char *prefix, const struct word_list *list);

/* Reads the next token of the line into scan->token. Returns 0 or -EINVAL (reported). */
int scan_next(struct scanner *scan);

/* Whether a token is exactly this word and not a quoted string. */
bool token_is(const struct token *token, const char *word);

/*
 * Copies a token's text, in strings without the escaping backslashes, and terminates it.
 * `text` needs room for token->length + 1 bytes. Returns the length.
 */
size_t token_copy(const struct token *token, char *text);

/*
 * Reads a duration of 1 to `max` seconds, as in "30s" or "2h", and the token after it. Else
 * reports `expected`. Returns 0 or -EINVAL.
 */
int scan_time(struct scanner *scan, __u32 max, __u32 *seconds, const char *expected);

/* Prints a duration as scan_time() reads it, in the largest unit without a fraction. */
void time_print(__u32 seconds, FILE *out);

/* Prints a text in quotes, as scan_next() and token_copy() read it. */
void quoted_print(const char *text, FILE *out);

/* Whether a text needs quotes to be read as one word. */
bool needs_quotes(const char *text);

#endif
