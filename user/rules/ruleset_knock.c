// SPDX-License-Identifier: GPL-2.0-only
#include "rules/ruleset_knock.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/knock_clauses.h"
#include "rules/knock_verbs.h"
#include "rules/ruleset_clauses.h"
#include "rules/ruleset_terms.h"

/* "portctl knock" would take these names for its verbs. */
#define VERB_NAME(verb) #verb,
static const char *const reserved[] = { KNOCK_VERBS(VERB_NAME) };

void knock_free(struct knock *knock)
{
	if (!knock)
		return;
	free(knock->keys);
	free(knock->secret);
	free(knock);
}

/* `had` has a bit for each clause read so far. */
static int knock_clause_parse(struct scanner *scan, struct rule *rule, unsigned int *had)
{
	const struct knock_clause *clause = knock_clause_find(&scan->token);
	const struct clause *common = clause_find(&scan->token, IN_KNOCK);
	unsigned int bit;

	if (common)
		return clause_parse(scan, rule, common);
	if (!clause)
		return knock_clause_unknown(scan);
	bit = 1u << (clause - knock_clauses);
	if (*had & bit)
		return scan_wrong(scan, &scan->token, "expected only one \"%s\" in a knock",
				  clause->word);
	*had |= bit;
	return scan_next(scan) ?: clause->parse(scan, rule->knock);
}

static bool is_name(const struct token *token)
{
	if (token->kind != TOKEN_WORD || !isalpha((unsigned char)*token->text) ||
	    token->length > KNOCK_NAME_MAX)
		return false;
	for (size_t i = 0; i < token->length; i++) {
		unsigned char c = token->text[i];

		if (!isalnum(c) && c != '-' && c != '_')
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		if (token_is(token, reserved[i]))
			return false;
	}
	return true;
}

static int parse_name(struct scanner *scan, struct knock *knock)
{
	if (!is_name(&scan->token))
		return scan_wrong(scan, &scan->token,
				  "expected a name for the door: letters, digits, - and _, at "
				  "most %d, and no verb of \"portctl knock\"",
				  KNOCK_NAME_MAX);
	memcpy(knock->name, scan->token.text, scan->token.length);
	return scan_next(scan);
}

/* The word and arguments of the kind, if it has a word. */
static int parse_kind(struct scanner *scan, struct knock *knock)
{
	for (enum knock_kind kind = 0; kind < KNOCK_KINDS; kind++) {
		if (knock_kinds[kind].word && token_is(&scan->token, knock_kinds[kind].word))
			return scan_next(scan) ?: knock_kinds[kind].parse(scan, knock);
	}
	return 0;
}

/* A port of the door that is also in the range would be open and hidden at once. */
static bool opens_range(const struct rule *rule)
{
	const struct term *range = &rule->knock->range;

	for (size_t i = 0; i < rule->term_count; i++) {
		const struct term *term = &rule->terms[i];

		if (term->transports & range->transports && term->first <= range->last &&
		    range->first <= term->last)
			return true;
	}
	return false;
}

/* Refuses clauses that are not for this kind of knock. */
static int check_misplaced(struct scanner *scan, const struct knock *knock)
{
	enum knock_kind kind = knock_kind(knock);

	for (size_t i = 0; i < knock_clause_count; i++) {
		const struct knock_clause *clause = &knock_clauses[i];

		if (clause->is_given(knock) && !(clause->kinds & (1u << kind)))
			return scan_wrong(scan, &scan->token, "but \"%s\" is not for %s",
					  clause->word, knock_kinds[kind].plural);
	}
	return 0;
}

static int check_missing(struct scanner *scan, const struct knock *knock)
{
	for (size_t i = 0; i < knock_clause_count; i++) {
		const struct knock_clause *clause = &knock_clauses[i];

		if (clause->needed & (1u << knock_kind(knock)) && !clause->is_given(knock))
			return scan_wrong(scan, &scan->token,
					  "expected \"%s\" and %s, as in %s", clause->word,
					  clause->missing, clause->example);
	}
	return 0;
}

static int check_whole(struct scanner *scan, const struct rule *rule)
{
	int err;

	for (size_t i = 0; i < rule->term_count; i++) {
		if (!rule->terms[i].transports)
			return scan_wrong(scan, &scan->token,
					  "but a door has ports only, no IP protocol");
	}
	err = check_misplaced(scan, rule->knock);
	if (!err && knock_kind(rule->knock) == KNOCK_TIMED && opens_range(rule))
		return scan_wrong(scan, &scan->token,
				  "but it opens ports of the range that its steps are in");
	return err ?: check_missing(scan, rule->knock);
}

int knock_parse(struct scanner *scan, struct rule *rule)
{
	unsigned int had = 0;
	int err;

	rule->knock = calloc(1, sizeof(*rule->knock));
	if (!rule->knock)
		return -ENOMEM;
	rule->knock->misses = KNOCK_MISSES;
	err = parse_name(scan, rule->knock) ?: parse_kind(scan, rule->knock);
	if (!err && !token_is(&scan->token, "opens"))
		return scan_wrong(scan, &scan->token, "expected \"opens\"");
	err = err ?: scan_next(scan) ?: terms_parse(scan, rule, knock_ends_ports);
	while (!err && scan->token.kind != TOKEN_END)
		err = knock_clause_parse(scan, rule, &had);
	return err ?: check_whole(scan, rule);
}

void knock_print(const struct rule *rule, FILE *out)
{
	const struct knock *knock = rule->knock;
	const struct knock_kind_info *kind = &knock_kinds[knock_kind(knock)];

	fprintf(out, "knock %s", knock->name);
	if (kind->print)
		kind->print(knock, out);
	fputs(" opens", out);
	terms_print(rule, out);
	for (size_t i = 0; i < knock_clause_count; i++) {
		if (knock_clauses[i].is_given(knock))
			knock_clauses[i].print(knock, out);
	}
}

bool knock_same(const struct knock *a, const struct knock *b)
{
	enum knock_kind kind = knock_kind(a);

	if (strcmp(a->name, b->name) || kind != knock_kind(b) ||
	    !knock_kinds[kind].is_same(a, b))
		return false;
	for (size_t i = 0; i < knock_clause_count; i++) {
		if (!knock_clauses[i].is_same(a, b))
			return false;
	}
	return true;
}
