// SPDX-License-Identifier: GPL-2.0-only
#include "rules/ruleset_clauses.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "base/text.h"

#define COMMENT_MAX 255
#define COUNT_MAX 1000000000
#define SECONDS_MAX (365 * 86400)
/*
 * The longest burst, as a time at the limit's rate. The data path keeps 64 bits of
 * nanoseconds: these are 500 of their 584 years, and the time since boot needs the rest.
 */
#define BURST_NANOSECONDS (500ull * SECONDS_MAX * 1000000000)

static void clear_nothing(const struct rule *rule)
{
	(void)rule;
}

/* from SOURCE,... */

/* Sorts the sources and keeps each once. */
static void sort_sources(struct rule *rule)
{
	size_t kept = 0;

	qsort(rule->sources, rule->source_count, sizeof(*rule->sources), prefix_compare);
	for (size_t i = 1; i < rule->source_count; i++) {
		if (prefix_compare(&rule->sources[kept], &rule->sources[i]))
			rule->sources[++kept] = rule->sources[i];
	}
	rule->source_count = kept + 1;
}

static int parse_one_source(struct scanner *scan, struct rule *rule, size_t *room)
{
	struct prefix prefix;
	char text[64], expected[PREFIX_ERROR];
	int err;

	if (scan->token.kind != TOKEN_WORD || scan->token.length >= sizeof(text))
		return scan_wrong(scan, &scan->token, "expected an address or prefix");
	token_copy(&scan->token, text);
	if (prefix_parse(text, &prefix, expected))
		return scan_wrong(scan, &scan->token, "%s", expected);
	err = array_reserve(&rule->sources, room, rule->source_count, sizeof(prefix));
	if (err)
		return err;
	rule->sources[rule->source_count++] = prefix;
	return 0;
}

/* The address family of an IP protocol; 0: both. */
static __u8 protocol_family(__u8 protocol)
{
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_IGMP)
		return 4;
	return protocol == IPPROTO_ICMPV6 ? 6 : 0;
}

/* Whether packets of the rule's protocols can come from its sources. */
static bool families_fit(const struct rule *rule)
{
	for (size_t t = 0; t < rule->term_count; t++) {
		const struct term *term = &rule->terms[t];
		__u8 family = protocol_family(term->protocol);

		for (size_t i = 0; i < rule->source_count && family; i++) {
			if (!term->transports && rule->sources[i].family != family)
				return false;
		}
	}
	return true;
}

static int parse_from(struct scanner *scan, struct rule *rule)
{
	struct token start = scan->token;
	size_t room = 0;
	int err = parse_one_source(scan, rule, &room) ?: scan_next(scan);

	while (!err && scan->token.kind == TOKEN_COMMA)
		err = scan_next(scan) ?: parse_one_source(scan, rule, &room) ?: scan_next(scan);
	if (err)
		return err;
	sort_sources(rule);
	if (!families_fit(rule))
		return scan_wrong(scan, &start,
				  "but no packet of this IP protocol has such a source");
	return 0;
}

static void print_from(const struct rule *rule, FILE *out)
{
	for (size_t i = 0; i < rule->source_count; i++) {
		fputs(i ? ", " : " from ", out);
		prefix_print(&rule->sources[i], out);
	}
}

static bool has_from(const struct rule *rule)
{
	return rule->source_count;
}

static bool same_from(const struct rule *a, const struct rule *b)
{
	if (a->source_count != b->source_count)
		return false;
	for (size_t i = 0; i < a->source_count; i++) {
		if (prefix_compare(&a->sources[i], &b->sources[i]))
			return false;
	}
	return true;
}

static void clear_from(const struct rule *rule)
{
	free(rule->sources);
}

/* on IFACE */

/*
 * Whether the kernel allows the name (dev_valid_name()). Only names that terminals and JSON
 * can show are taken.
 */
static bool is_iface(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && text_is_showable(name) &&
	       !strpbrk(name, " /:") && strcmp(name, ".") && strcmp(name, "..");
}

static int parse_on(struct scanner *scan, struct rule *rule)
{
	struct token *token = &scan->token;
	char name[2 * IFNAMSIZ] = "";

	if (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING)
		return scan_wrong(scan, token, "expected the name of an interface");
	if (token->length < sizeof(name))
		token_copy(token, name);
	if (!is_iface(name))
		return scan_wrong(scan, token,
				  "expected the name of an interface, at most %d characters",
				  IFNAMSIZ - 1);
	strcpy(rule->iface, name);
	return scan_next(scan);
}

static void print_on(const struct rule *rule, FILE *out)
{
	fputs(" on ", out);
	if (needs_quotes(rule->iface))
		quoted_print(rule->iface, out);
	else
		fputs(rule->iface, out);
}

static bool has_on(const struct rule *rule)
{
	return *rule->iface;
}

static bool same_on(const struct rule *a, const struct rule *b)
{
	return !strcmp(a->iface, b->iface);
}

/* limit RATE [burst N] [per source] */

static int parse_burst(struct scanner *scan, struct limit *limit)
{
	__u64 most = BURST_NANOSECONDS / limit_interval(limit);
	unsigned long burst;
	int err = scan_next(scan);

	if (err)
		return err;
	if (most > COUNT_MAX)
		most = COUNT_MAX;
	if (limit->burst)
		return scan_wrong(scan, &scan->token, "expected only one \"burst\" in a limit");
	if (scan->token.kind != TOKEN_WORD ||
	    number_parse(scan->token.text, scan->token.length, most, &burst) || !burst)
		return scan_wrong(scan, &scan->token,
				  "expected a number of packets from 1 to %llu", most);
	limit->burst = burst;
	return scan_next(scan);
}

static int parse_per_source(struct scanner *scan, struct limit *limit)
{
	int err = scan_next(scan);

	if (err)
		return err;
	if (limit->per_source)
		return scan_wrong(scan, &scan->token, "expected only one \"per\" in a limit");
	if (!token_is(&scan->token, "source"))
		return scan_wrong(scan, &scan->token, "expected \"source\"");
	limit->per_source = true;
	return scan_next(scan);
}

static int parse_limit(struct scanner *scan, struct rule *rule)
{
	const struct token *token = &scan->token;
	unsigned long count;
	int err;

	if (token->kind != TOKEN_WORD || token->length < 3 ||
	    token->text[token->length - 2] != '/' ||
	    !strchr("smh", token->text[token->length - 1]) ||
	    number_parse(token->text, token->length - 2, COUNT_MAX, &count) || !count)
		return scan_wrong(scan, token,
				  "expected a rate of at least 1, as in 100/s, 5/m or 10/h");
	rule->limit.count = count;
	rule->limit.unit = token->text[token->length - 1];
	err = scan_next(scan);
	while (!err && (token_is(token, "burst") || token_is(token, "per")))
		err = token_is(token, "burst") ? parse_burst(scan, &rule->limit)
					       : parse_per_source(scan, &rule->limit);
	return err;
}

static void print_limit(const struct rule *rule, FILE *out)
{
	const struct limit *limit = &rule->limit;

	fprintf(out, " limit %u/%c", limit->count, limit->unit);
	if (limit->burst)
		fprintf(out, " burst %u", limit->burst);
	if (limit->per_source)
		fputs(" per source", out);
}

static bool has_limit(const struct rule *rule)
{
	return rule->limit.count;
}

static bool same_limit(const struct rule *a, const struct rule *b)
{
	if (!a->limit.count || !b->limit.count)
		return a->limit.count == b->limit.count;
	return a->limit.count == b->limit.count && a->limit.unit == b->limit.unit &&
	       a->limit.burst == b->limit.burst && a->limit.per_source == b->limit.per_source;
}

/* for TIME */

static int parse_for(struct scanner *scan, struct rule *rule)
{
	return scan_time(scan, SECONDS_MAX, &rule->seconds,
			 "expected a time of at most a year, as in 30s, 5m, 2h or 1d");
}

static void print_for(const struct rule *rule, FILE *out)
{
	fputs(" for ", out);
	time_print(rule->seconds, out);
}

static bool has_for(const struct rule *rule)
{
	return rule->seconds;
}

static bool same_for(const struct rule *a, const struct rule *b)
{
	return a->seconds == b->seconds;
}

/* comment TEXT */

static int parse_comment(struct scanner *scan, struct rule *rule)
{
	struct token *token = &scan->token;
	size_t length;

	if (token->kind != TOKEN_STRING && token->kind != TOKEN_WORD)
		return scan_wrong(scan, token, "expected a comment in quotes");
	rule->comment = malloc(token->length + 1);
	if (!rule->comment)
		return -ENOMEM;
	length = token_copy(token, rule->comment);
	if (length > COMMENT_MAX)
		return scan_wrong(scan, token, "expected at most %d bytes", COMMENT_MAX);
	if (!text_is_showable(rule->comment))
		return scan_wrong(scan, token,
				  "expected UTF-8 text without control characters");
	return scan_next(scan);
}

static void print_comment(const struct rule *rule, FILE *out)
{
	fputs(" comment ", out);
	quoted_print(rule->comment, out);
}

static bool has_comment(const struct rule *rule)
{
	return rule->comment;
}

static bool same_comment(const struct rule *a, const struct rule *b)
{
	if (!a->comment || !b->comment)
		return a->comment == b->comment;
	return !strcmp(a->comment, b->comment);
}

static void clear_comment(const struct rule *rule)
{
	free(rule->comment);
}

/* A test fails if a row leaves a field out. */
const struct clause clause_table[] = {
	{
		.word = "from",
		.arguments = "SOURCE,...",
		.help = "only packets from these addresses or prefixes, with commas between them",
		.example = "from 192.0.2.0/24, 2001:db8::1",
		.role = CLAUSE_MATCH,
		.statements = IN_RULES,
		.argument = ARGUMENT_WORDS,
		.replaces_ports = true,
		.parse = parse_from,
		.print = print_from,
		.is_given = has_from,
		.is_same = same_from,
		.clear = clear_from,
	},
	{
		.word = "on",
		.arguments = "IFACE",
		.help = "only packets that arrive on this interface",
		.example = "on eth0",
		.role = CLAUSE_MATCH,
		.statements = IN_RULES,
		.argument = ARGUMENT_NAME,
		.parse = parse_on,
		.print = print_on,
		.is_given = has_on,
		.is_same = same_on,
		.clear = clear_nothing,
	},
	{
		.word = "limit",
		.arguments = "RATE [burst N] [per source]",
		.help = "pass packets up to this rate, as in 100/s, 5/m or 10/h, at most N at once, and "
			"drop the others; per source: count each source by itself",
		.example = "limit 5/m burst 3 per source",
		.role = CLAUSE_LIMIT,
		.statements = IN_ALLOW,
		.argument = ARGUMENT_WORDS,
		.parse = parse_limit,
		.print = print_limit,
		.is_given = has_limit,
		.is_same = same_limit,
		.clear = clear_nothing,
	},
	{
		.word = "for",
		.arguments = "TIME",
		.help = "the rule ends after this time, as in 30s, 5m, 2h or 1d, and is not saved",
		.example = "for 2h",
		.role = CLAUSE_TIME,
		.statements = IN_RULES,
		.argument = ARGUMENT_WORDS,
		.parse = parse_for,
		.print = print_for,
		.is_given = has_for,
		.is_same = same_for,
		.clear = clear_nothing,
	},
	{
		.word = "comment",
		.arguments = "TEXT",
		.help = "a remark of at most 255 bytes, in quotes if it has several words",
		.example = "comment \"office\"",
		.role = CLAUSE_LABEL,
		.statements = IN_RULES | IN_KNOCK,
		.argument = ARGUMENT_TEXT,
		.parse = parse_comment,
		.print = print_comment,
		.is_given = has_comment,
		.is_same = same_comment,
		.clear = clear_comment,
	},
};

const size_t clause_count = ARRAY_SIZE(clause_table);

enum clause_statement clause_statement(const struct rule *rule)
{
	static const enum clause_statement statements[] = {
		[VERDICT_DROP] = IN_DROP,
		[VERDICT_PASS] = IN_ALLOW,
		[VERDICT_REJECT] = IN_REJECT,
	};

	return rule->knock ? IN_KNOCK : statements[rule->action];
}

const struct clause *clause_find(const struct token *token, unsigned int statements)
{
	for (size_t i = 0; i < clause_count; i++) {
		if (clause_table[i].statements & statements &&
		    token_is(token, clause_table[i].word))
			return &clause_table[i];
	}
	return NULL;
}

/* Reports a clause that rules with this action may not have. */
static int clause_misplaced(struct scanner *scan, const struct clause *clause)
{
	struct word_list actions = { 0 };
	char prefix[64];

	for (enum verdict action = VERDICT_DROP; action <= VERDICT_REJECT; action++) {
		if (clause->statements & clause_statement(&(struct rule){ .action = action }))
			word_list_add(&actions, action_name(action));
	}
	snprintf(prefix, sizeof(prefix), "but \"%s\" is only for ", clause->word);
	return scan_wrong_word(scan, prefix, &actions);
}

int clause_parse(struct scanner *scan, struct rule *rule, const struct clause *clause)
{
	int err = scan_next(scan);

	if (err)
		return err;
	if (clause->is_given(rule))
		return scan_wrong(scan, &scan->token, "expected only one \"%s\" in a rule",
				  clause->word);
	if (!(clause->statements & clause_statement(rule)))
		return clause_misplaced(scan, clause);
	return clause->parse(scan, rule);
}

void clauses_list(enum clause_statement statement, struct word_list *list)
{
	for (size_t i = 0; i < clause_count; i++) {
		if (clause_table[i].statements & statement)
			word_list_add(list, clause_table[i].word);
	}
}

void clauses_print(const struct rule *rule, unsigned int roles, FILE *out)
{
	for (size_t i = 0; i < clause_count; i++) {
		if (clause_table[i].role & roles && clause_table[i].is_given(rule))
			clause_table[i].print(rule, out);
	}
}

bool clauses_given(const struct rule *rule, unsigned int roles)
{
	for (size_t i = 0; i < clause_count; i++) {
		if (clause_table[i].role & roles && clause_table[i].is_given(rule))
			return true;
	}
	return false;
}

bool clauses_same(const struct rule *a, const struct rule *b, unsigned int roles)
{
	for (size_t i = 0; i < clause_count; i++) {
		if (clause_table[i].role & roles && !clause_table[i].is_same(a, b))
			return false;
	}
	return true;
}

bool clauses_include(const struct rule *rule, const struct rule *part, unsigned int roles)
{
	for (size_t i = 0; i < clause_count; i++) {
		const struct clause *clause = &clause_table[i];

		if (clause->role & roles && clause->is_given(part) &&
		    !clause->is_same(rule, part))
			return false;
	}
	return true;
}

void clauses_clear(const struct rule *rule)
{
	for (size_t i = 0; i < clause_count; i++)
		clause_table[i].clear(rule);
}

void clauses_describe(enum clause_statement statement, describe_fn *describe, void *data)
{
	for (size_t i = 0; i < clause_count; i++) {
		const struct clause *clause = &clause_table[i];
		char term[DESCRIBED_TERM];

		if (!(clause->statements & statement))
			continue;
		snprintf(term, sizeof(term), "%s %s", clause->word, clause->arguments);
		describe(term, clause->help, data);
	}
}
