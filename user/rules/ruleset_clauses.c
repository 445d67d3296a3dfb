// SPDX-License-Identifier: GPL-2.0-only
/* What may follow the ports of a rule: from, on, limit, for, comment. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "rules/prefix.h"
#include "rules/scan.h"
#include "base/array.h"
#include "base/number.h"
#include "base/text.h"

#define COMMENT_MAX 255
#define COUNT_MAX 1000000000
#define SECONDS_MAX (365 * 86400)
/* A bucket is 64 bits of nanoseconds: what is left is for the time since the boot. */
#define BURST_NANOSECONDS (500ull * SECONDS_MAX * 1000000000)

/* Sources in one order, none twice. */
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

static int add_source(struct scanner *scan, struct rule *rule, size_t *room)
{
	struct prefix prefix;
	char text[64], expected[128];
	int err;

	if (scan->token.kind != TOKEN_WORD || scan->token.length >= sizeof(text))
		return wrong(scan, &scan->token, "expected an address or prefix");
	memcpy(text, scan->token.text, scan->token.length);
	text[scan->token.length] = 0;
	if (prefix_parse(text, &prefix, expected))
		return wrong(scan, &scan->token, "%s", expected);
	err = array_reserve(&rule->sources, room, rule->source_count, sizeof(prefix));
	if (err)
		return err;
	rule->sources[rule->source_count++] = prefix;
	return 0;
}

/* IPv4's ICMP and IGMP come from no IPv6 address, ICMPv6 from no IPv4 address. */
static bool families_fit(const struct rule *rule)
{
	for (size_t t = 0; t < rule->term_count; t++) {
		const struct term *term = &rule->terms[t];
		__u8 family = term->protocol == IPPROTO_ICMPV6 ? 6
			      : term->protocol == IPPROTO_ICMP || term->protocol == IPPROTO_IGMP
				      ? 4
				      : 0;

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
	int err;

	if (rule->source_count)
		return wrong(scan, &scan->token, "expected only one \"from\" in a rule");
	err = add_source(scan, rule, &room) ?: advance(scan);
	while (!err && scan->token.kind == TOKEN_COMMA)
		err = advance(scan) ?: add_source(scan, rule, &room) ?: advance(scan);
	if (err)
		return err;
	sort_sources(rule);
	if (!families_fit(rule))
		return wrong(scan, &start,
			     "which no packet of that IP protocol has as its source");
	return 0;
}

/* What a token says, into room for its length and a NUL: in a string without the backslashes. */
static size_t token_copy(const struct token *token, char *text)
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

/*
 * Interface names as the kernel allows them (dev_valid_name); and they are printed to
 * terminals and as JSON, and must bear it.
 */
static bool is_iface(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && text_is_showable(name) &&
	       !strpbrk(name, " /:") && strcmp(name, ".") && strcmp(name, "..");
}

static int parse_iface(struct scanner *scan, struct rule *rule)
{
	struct token *token = &scan->token;
	char name[2 * IFNAMSIZ] = "";

	if (*rule->iface)
		return wrong(scan, token, "expected only one \"on\" in a rule");
	if (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING)
		return wrong(scan, token, "expected the name of an interface");
	if (token->length < sizeof(name))
		token_copy(token, name);
	if (!is_iface(name))
		return wrong(scan, token,
			     "expected the name of an interface, at most %d characters",
			     IFNAMSIZ - 1);
	strcpy(rule->iface, name);
	return advance(scan);
}

static int parse_burst(struct scanner *scan, struct limit *limit)
{
	__u64 most = BURST_NANOSECONDS / limit_interval(limit);
	unsigned long burst;
	int err = advance(scan);

	if (err)
		return err;
	if (most > COUNT_MAX)
		most = COUNT_MAX;
	if (limit->burst)
		return wrong(scan, &scan->token, "expected only one \"burst\" in a limit");
	if (scan->token.kind != TOKEN_WORD ||
	    number_parse(scan->token.text, scan->token.length, most, &burst) || !burst)
		return wrong(scan, &scan->token, "expected a number of packets from 1 to %llu",
			     most);
	limit->burst = burst;
	return advance(scan);
}

static int parse_per(struct scanner *scan, struct limit *limit)
{
	int err = advance(scan);

	if (err)
		return err;
	if (limit->per_source)
		return wrong(scan, &scan->token, "expected only one \"per\" in a limit");
	if (!is_word(&scan->token, "source"))
		return wrong(scan, &scan->token, "expected \"source\"");
	limit->per_source = true;
	return advance(scan);
}

static int parse_limit(struct scanner *scan, struct rule *rule)
{
	const struct token *token = &scan->token;
	unsigned long count;
	int err;

	if (rule->limit.count)
		return wrong(scan, token, "expected only one \"limit\" in a rule");
	if (rule->action != VERDICT_PASS)
		return wrong(scan, token, "expected \"limit\" with allow only");
	if (token->kind != TOKEN_WORD || token->length < 3 ||
	    token->text[token->length - 2] != '/' ||
	    !strchr("smh", token->text[token->length - 1]) ||
	    number_parse(token->text, token->length - 2, COUNT_MAX, &count) || !count)
		return wrong(scan, token,
			     "expected a rate of at least 1, as in 100/s, 5/m or 10/h");
	rule->limit.count = count;
	rule->limit.unit = token->text[token->length - 1];
	err = advance(scan);
	while (!err && (is_word(token, "burst") || is_word(token, "per")))
		err = is_word(token, "burst") ? parse_burst(scan, &rule->limit)
					      : parse_per(scan, &rule->limit);
	return err;
}

static int parse_for(struct scanner *scan, struct rule *rule)
{
	const struct token *token = &scan->token;

	if (rule->seconds)
		return wrong(scan, token, "expected only one \"for\" in a rule");
	if (token->kind != TOKEN_WORD ||
	    time_parse(token->text, token->length, SECONDS_MAX, &rule->seconds))
		return wrong(scan, token,
			     "expected a time of at most a year, as in 30s, 5m, 2h or 1d");
	return advance(scan);
}

static int parse_comment(struct scanner *scan, struct rule *rule)
{
	struct token *token = &scan->token;
	size_t length;

	if (rule->comment)
		return wrong(scan, token, "expected only one comment in a rule");
	if (token->kind != TOKEN_STRING && token->kind != TOKEN_WORD)
		return wrong(scan, token, "expected a comment in quotes");
	rule->comment = malloc(token->length + 1);
	if (!rule->comment)
		return -ENOMEM;
	length = token_copy(token, rule->comment);
	if (length > COMMENT_MAX)
		return wrong(scan, token, "expected at most %d bytes", COMMENT_MAX);
	if (!text_is_showable(rule->comment))
		return wrong(scan, token, "expected UTF-8 text without control characters");
	return advance(scan);
}

static const struct {
	const char *word;
	int (*parse)(struct scanner *scan, struct rule *rule);
} clauses[] = {
	{ "from", parse_from }, { "on", parse_iface },	      { "limit", parse_limit },
	{ "for", parse_for },	{ "comment", parse_comment },
};

bool is_clause_word(const struct token *token)
{
	for (size_t i = 0; i < ARRAY_SIZE(clauses); i++) {
		if (is_word(token, clauses[i].word))
			return true;
	}
	return false;
}

int parse_clause(struct scanner *scan, struct rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(clauses); i++) {
		if (is_word(&scan->token, clauses[i].word))
			return advance(scan) ?: clauses[i].parse(scan, rule);
	}
	return wrong(scan, &scan->token,
		     "expected a port, from, on, limit, for, comment or the end");
}

int parse_clauses(struct scanner *scan, struct rule *rule)
{
	int err = 0;

	while (!err && scan->token.kind != TOKEN_END)
		err = parse_clause(scan, rule);
	return err;
}
