/* SPDX-License-Identifier: GPL-2.0-only */
/* From a line of text to its words. */
#ifndef SCAN_H
#define SCAN_H

#include "rules/ruleset.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_COMMA, TOKEN_STRING };

struct token {
	enum token_kind kind;
	const char *text; /* of a string: what is between the quotes */
	size_t length;
	const char *start;
};

/* One line of text being read; `token` is the one not yet used. */
struct scanner {
	const char *line;
	const char *pos;
	unsigned int row;
	struct token token;
	struct report *report;
};

/*
 * Reports at a token: "FILE:LINE:COLUMN: found "TOKEN", " and the rest. Returns
 * -EINVAL. Bytes that cannot be shown are not.
 */
__attribute__((format(printf, 3, 4))) int wrong(struct scanner *scan, const struct token *token,
						const char *format, ...);

/* Reads the next token of the line into scan->token. Returns 0 or -EINVAL. */
int advance(struct scanner *scan);

/* Whether a token is that very word, and not a string. */
bool is_word(const struct token *token, const char *word);

/* Whether a token is one of the words that may follow a rule's ports. */
bool is_clause_word(const struct token *token);

/* The ports of a rule, with or without commas between them, up to a word that `ends` them. */
int parse_terms(struct scanner *scan, struct rule *rule,
		bool (*ends)(const struct token *token));

/* What follows the word "knock". */
int parse_knock(struct scanner *scan, struct rule *rule);

/* One of a rule's clauses, its word included. */
int parse_clause(struct scanner *scan, struct rule *rule);

/* What may follow the ports, in any order, to the end of the line. */
int parse_clauses(struct scanner *scan, struct rule *rule);

#endif
