/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kinds of knocks and the clauses of a "knock" statement. The two tables hold all that the
 * parser, the printer, comparisons, help and completions know of them; a new one is a new row.
 */
#ifndef KNOCK_CLAUSES_H
#define KNOCK_CLAUSES_H

#include "rules/describe.h"
#include "rules/rule.h"
#include "rules/scan.h"

/* How a source knocks. */
enum knock_kind {
	KNOCK_STEPS, /* by touching the ports that the rule lists */
	KNOCK_SIGNED, /* "spa": by one signed datagram */
	KNOCK_TIMED, /* "totp": by touching ports that change with the time */
	KNOCK_KINDS,
};

struct knock_kind_info {
	const char *word; /* that begins it, after the name; NULL: none */
	const char *arguments; /* as usage shows them, or NULL */
	const char *plural; /* as in "... is not for signed knocks" */
	const char *help; /* for people: what it does */
	const char *example; /* a whole statement, for tests */
	/* Reads the arguments. Returns 0, -EINVAL (reported) or -ENOMEM; NULL: has none. */
	int (*parse)(struct scanner *scan, struct knock *knock);
	/* Prints the word and its arguments, with a blank before it; NULL: prints nothing. */
	void (*print)(const struct knock *knock, FILE *out);
	/* Whether two knocks of this kind have the same arguments. */
	bool (*is_same)(const struct knock *a, const struct knock *b);
};

struct knock_clause {
	const char *word; /* that begins the clause */
	const char *arguments; /* as usage shows them */
	const char *help; /* for people: what it does */
	const char *missing; /* what is missing without it, for an error; NULL: never needed */
	const char *example; /* a whole clause, for errors and tests */
	unsigned int kinds; /* that it may stand in: bits 1 << enum knock_kind */
	unsigned int needed; /* that it must stand in: bits as above */
	/* Reads the arguments. Returns 0, -EINVAL (reported). */
	int (*parse)(struct scanner *scan, struct knock *knock);
	/* Prints the clause, with a blank before it. */
	void (*print)(const struct knock *knock, FILE *out);
	/* Whether the knock has the clause, other than with its default. */
	bool (*is_given)(const struct knock *knock);
	/* Whether both knocks have the same clause. */
	bool (*is_same)(const struct knock *a, const struct knock *b);
};

extern const struct knock_kind_info knock_kinds[KNOCK_KINDS];

/* All clauses but those of ruleset_clauses.h, in the order in which knocks are printed. */
extern const struct knock_clause knock_clauses[];
extern const size_t knock_clause_count;

enum knock_kind knock_kind(const struct knock *knock);

/* The clause that a token begins, or NULL. Those of ruleset_clauses.h are not among them. */
const struct knock_clause *knock_clause_find(const struct token *token);

/* Whether a token begins any clause of a knock, and so ends a list of ports. */
bool knock_ends_ports(const struct token *token);

/* Reports that the next token is no clause of a knock, and which there are. Returns -EINVAL. */
int knock_clause_unknown(struct scanner *scan);

/* Describes the kinds that have a word, and the clauses: for help, manual, completions. */
void knock_describe_kinds(describe_fn *describe, void *data);
void knock_describe_clauses(describe_fn *describe, void *data);

#endif
