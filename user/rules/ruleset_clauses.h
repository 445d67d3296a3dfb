/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clauses of a rule: what may follow its ports. One table holds all that the parser, the
 * printer, comparisons, help and completions know of a clause; a new clause is a new row.
 */
#ifndef RULESET_CLAUSES_H
#define RULESET_CLAUSES_H

#include "rules/describe.h"
#include "rules/rule.h"
#include "rules/scan.h"

/* What a clause is for. Bits, so that callers can name several. */
enum clause_role {
	CLAUSE_MATCH = 1, /* selects packets; part of a rule's identity */
	CLAUSE_LIMIT = 2, /* restricts how many of these packets the rule lets in */
	CLAUSE_TIME = 4, /* says when the rule ends; such rules are not saved */
	CLAUSE_LABEL = 8, /* for people only; counters survive its change */
	CLAUSE_ALL = 15,
};

/* Statements that a clause may stand in. Bits; see clause_statement(). */
enum clause_statement {
	IN_ALLOW = 1,
	IN_DROP = 2,
	IN_REJECT = 4,
	IN_KNOCK = 8,
	IN_RULES = IN_ALLOW | IN_DROP | IN_REJECT,
};

/* How ruleset_parse_words() passes on the argument, from which a shell took the quotes. */
enum clause_argument {
	ARGUMENT_WORDS, /* as it is: one or more words of the grammar */
	ARGUMENT_NAME, /* a name: in quotes if it isn't one word */
	ARGUMENT_TEXT, /* any text: always in quotes */
};

struct clause {
	const char *word; /* that begins the clause */
	const char *arguments; /* as usage shows them */
	const char *help; /* for people: what it does */
	const char *example; /* a whole clause, for tests */
	enum clause_role role;
	unsigned int statements; /* enum clause_statement bits */
	enum clause_argument argument;
	bool replaces_ports; /* may follow the action directly, in a rule without ports */
	/* Reads the arguments into the rule. Returns 0, -EINVAL (reported) or -ENOMEM. */
	int (*parse)(struct scanner *scan, struct rule *rule);
	/* Prints the clause of a rule that has it, with a blank before it. */
	void (*print)(const struct rule *rule, FILE *out);
	/* Whether the rule has the clause. */
	bool (*is_given)(const struct rule *rule);
	/* Whether both rules have the same, or neither has the clause. */
	bool (*is_same)(const struct rule *a, const struct rule *b);
	/* Frees what the clause holds. */
	void (*clear)(const struct rule *rule);
};

/* All clauses, in the order in which rules are printed. */
extern const struct clause clause_table[];
extern const size_t clause_count;

/* The bit of the statement that a rule is. */
enum clause_statement clause_statement(const struct rule *rule);

/* The clause that a token begins in one of the statements (bits), or NULL. */
const struct clause *clause_find(const struct token *token, unsigned int statements);

/*
 * Reads one clause, which scan->token begins. Refuses one that the rule has already, or that
 * its statement may not have. Returns 0, -EINVAL (reported) or -ENOMEM.
 */
int clause_parse(struct scanner *scan, struct rule *rule, const struct clause *clause);

/* Adds the words of the statement's clauses to a list for scan_wrong_word(). */
void clauses_list(enum clause_statement statement, struct word_list *list);

/* Prints the clauses that a rule has, of these roles (enum clause_role bits). */
void clauses_print(const struct rule *rule, unsigned int roles, FILE *out);

/* Whether a rule has a clause of one of these roles. */
bool clauses_given(const struct rule *rule, unsigned int roles);

/* Whether two rules have the same clauses of these roles. */
bool clauses_same(const struct rule *a, const struct rule *b, unsigned int roles);

/* Whether `rule` has each clause of these roles that `part` has. */
bool clauses_include(const struct rule *rule, const struct rule *part, unsigned int roles);

/* Frees what the clauses hold. */
void clauses_clear(const struct rule *rule);

/* Describes the clauses that may stand in the statement: for help, manual, completions. */
void clauses_describe(enum clause_statement statement, describe_fn *describe, void *data);

#endif
