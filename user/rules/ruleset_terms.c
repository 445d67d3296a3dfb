// SPDX-License-Identifier: GPL-2.0-only
#include "rules/ruleset_terms.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "rules/ruleset_clauses.h"

static void sort_terms(struct rule *rule)
{
	size_t kept = 0;

	if (rule->term_count < 2)
		return;
	qsort(rule->terms, rule->term_count, sizeof(*rule->terms), term_compare);
	for (size_t i = 1; i < rule->term_count; i++) {
		if (term_compare(&rule->terms[kept], &rule->terms[i]))
			rule->terms[++kept] = rule->terms[i];
	}
	rule->term_count = kept + 1;
}

static int append_terms(struct rule *rule, size_t *room, const struct term *terms, int count)
{
	for (int i = 0; i < count; i++) {
		int err = array_reserve(&rule->terms, room, rule->term_count, sizeof(*terms));

		if (err)
			return err;
		rule->terms[rule->term_count++] = terms[i];
	}
	return 0;
}

/* Reads one term, and the comma after it if there is one. */
static int parse_term(struct scanner *scan, struct rule *rule, size_t *room,
		      bool (*ends)(const struct token *token))
{
	struct term terms[2];
	const char *expected;
	int count = term_parse(scan->token.text, scan->token.length, terms, &expected), err;

	if (count < 0)
		return scan_wrong(scan, &scan->token, "%s", expected);
	err = append_terms(rule, room, terms, count) ?: scan_next(scan);
	if (err || scan->token.kind != TOKEN_COMMA)
		return err;
	err = scan_next(scan);
	if (!err && (scan->token.kind != TOKEN_WORD || ends(&scan->token)))
		return scan_wrong(scan, &scan->token, "expected a port after the comma");
	return err;
}

/* Whether the rule can lack ports, because a clause that replaces them comes next. */
static bool may_lack_ports(const struct scanner *scan, const struct rule *rule)
{
	const struct clause *clause = clause_find(&scan->token, clause_statement(rule));

	return clause && clause->replaces_ports;
}

int terms_parse(struct scanner *scan, struct rule *rule,
		bool (*ends)(const struct token *token))
{
	size_t room = 0;
	int err = 0;

	while (!err && scan->token.kind == TOKEN_WORD && !ends(&scan->token))
		err = parse_term(scan, rule, &room, ends);
	if (err)
		return err;
	if (!rule->term_count && !may_lack_ports(scan, rule))
		return scan_wrong(
			scan, &scan->token,
			"expected a port, a range, or the name of a service or IP protocol");
	sort_terms(rule);
	return 0;
}

void terms_print(const struct rule *rule, FILE *out)
{
	for (size_t i = 0; i < rule->term_count; i++) {
		putc_unlocked(' ', out);
		term_print(&rule->terms[i], out);
	}
}
