// SPDX-License-Identifier: GPL-2.0-only
/* The parser: text to ruleset. One line is one statement. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "rules/scan.h"
#include "base/array.h"
#include "base/number.h"

/* Copies a token that is to be looked up by name; false if none is so long. */
static bool token_name(const char *text, size_t length, char name[64])
{
	if (length >= 64)
		return false;
	memcpy(name, text, length);
	name[length] = 0;
	return true;
}

static int parse_transport(const char *text, size_t length, __u8 *transports)
{
	if (length == 3 && !memcmp(text, "tcp", 3))
		*transports = TRANSPORT_TCP;
	else if (length == 3 && !memcmp(text, "udp", 3))
		*transports = TRANSPORT_UDP;
	else
		return -EINVAL;
	return 0;
}

/* A port or range in digits. Returns 1, 0 if it is not one, or -EINVAL. */
static int parse_number_term(const char *text, size_t length, struct term *term,
			     const char **expected)
{
	const char *dash = memchr(text, '-', length);
	size_t first_length = dash ? (size_t)(dash - text) : length;
	unsigned long first, last;
	int err = number_parse(text, first_length, 65535, &first);
	int err_last = err;

	last = first;
	if (dash)
		err_last = number_parse(dash + 1, length - first_length - 1, 65535, &last);
	if (err == -EINVAL || err_last == -EINVAL)
		return 0;
	*expected = "expected a port from 0 to 65535";
	if (err || err_last)
		return -EINVAL;
	*expected = "expected a range that ends after it begins, as in 6000-6100";
	if (last < first)
		return -EINVAL;
	term->first = first;
	term->last = last;
	return 1;
}

/* A service's name: its TCP and UDP ports are one term where they are equal. */
static int parse_service_term(const char *name, __u8 transports, struct term terms[2])
{
	int tcp = transports & TRANSPORT_TCP ? service_port(name, TRANSPORT_TCP) : -ENOENT;
	int udp = transports & TRANSPORT_UDP ? service_port(name, TRANSPORT_UDP) : -ENOENT;
	int count = 0;

	if (tcp >= 0 && tcp == udp) {
		terms[0] = (struct term){ TRANSPORT_BOTH, 0, tcp, tcp };
		return 1;
	}
	if (tcp >= 0)
		terms[count++] = (struct term){ TRANSPORT_TCP, 0, tcp, tcp };
	if (udp >= 0)
		terms[count++] = (struct term){ TRANSPORT_UDP, 0, udp, udp };
	return count;
}

static int parse_protocol_term(const char *name, struct term *term, const char **expected)
{
	int number = protocol_number(name);

	if (number == IPPROTO_TCP || number == IPPROTO_UDP) {
		*expected = "expected ports with it, as in 0-65535/tcp";
		return -EINVAL;
	}
	/* The database has it for 0; in the rules of other tools it is all of IP. */
	if (number == IPPROTO_IP && !strcasecmp(name, "ip")) {
		*expected =
			"expected one IP protocol, and for all of them no port but \"from\" "
			"(the protocol with the number 0 is 0/ip)";
		return -EINVAL;
	}
	if (number < 0)
		return -EINVAL;
	*term = (struct term){ .protocol = number };
	return 1;
}

/* "47/ip": an IP protocol by its number. */
static int parse_protocol_number(const char *text, size_t length, struct term *term,
				 const char **expected)
{
	unsigned long number;

	*expected = "expected the number of an IP protocol from 0 to 255 before /ip";
	if (number_parse(text, length, 255, &number))
		return -EINVAL;
	*expected = "expected ports with it, as in 0-65535/tcp";
	if (number == IPPROTO_TCP || number == IPPROTO_UDP)
		return -EINVAL;
	*term = (struct term){ .protocol = number };
	return 1;
}

int term_parse(const char *text, size_t length, struct term terms[2], const char **expected)
{
	const char *slash = memchr(text, '/', length);
	__u8 transports = TRANSPORT_BOTH;
	char name[64];
	int count;

	if (slash && text + length - slash == 3 && !memcmp(slash, "/ip", 3))
		return parse_protocol_number(text, slash - text, &terms[0], expected);
	*expected = "expected tcp or udp after the slash";
	if (slash && parse_transport(slash + 1, text + length - slash - 1, &transports))
		return -EINVAL;
	if (slash)
		length = slash - text;
	terms[0] = (struct term){ .transports = transports };
	count = parse_number_term(text, length, &terms[0], expected);
	if (count)
		return count;
	*expected = slash ? "expected a port, a range or the name of a service"
			  : "expected a port, a range, or the name of a service or IP protocol";
	if (!token_name(text, length, name))
		return -EINVAL;
	count = parse_service_term(name, transports, terms);
	if (count || slash)
		return count ?: -EINVAL;
	return parse_protocol_term(name, &terms[0], expected);
}

static int term_compare(const void *left, const void *right)
{
	const struct term *a = left, *b = right;

	if (!a->transports != !b->transports)
		return !a->transports - !b->transports;
	if (a->protocol != b->protocol)
		return a->protocol - b->protocol;
	if (a->first != b->first)
		return a->first - b->first;
	if (a->last != b->last)
		return a->last - b->last;
	return a->transports - b->transports;
}

/* Terms in one order, none twice: rules that mean the same then print the same. */
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

static int add_terms(struct rule *rule, size_t *room, const struct term *terms, int count)
{
	for (int i = 0; i < count; i++) {
		int err = array_reserve(&rule->terms, room, rule->term_count, sizeof(*terms));

		if (err)
			return err;
		rule->terms[rule->term_count++] = terms[i];
	}
	return 0;
}

int parse_terms(struct scanner *scan, struct rule *rule,
		bool (*ends)(const struct token *token))
{
	struct term terms[2];
	const char *expected;
	size_t room = 0;
	int count, err;

	while (scan->token.kind == TOKEN_WORD && !ends(&scan->token)) {
		count = term_parse(scan->token.text, scan->token.length, terms, &expected);
		if (count < 0)
			return wrong(scan, &scan->token, "%s", expected);
		err = add_terms(rule, &room, terms, count) ?: advance(scan);
		if (err)
			return err;
		if (scan->token.kind == TOKEN_COMMA) {
			err = advance(scan);
			if (err)
				return err;
			if (scan->token.kind != TOKEN_WORD || ends(&scan->token))
				return wrong(scan, &scan->token,
					     "expected a port after the comma");
		}
	}
	if (!rule->term_count && (rule->knock || !is_word(&scan->token, "from")))
		return wrong(
			scan, &scan->token,
			"expected a port, a range, or the name of a service or IP protocol");
	sort_terms(rule);
	return 0;
}

static int parse_plain_rule(struct scanner *scan, struct rule *rule)
{
	return parse_terms(scan, rule, is_clause_word) ?: parse_clauses(scan, rule);
}

static int parse_rule(struct scanner *scan, struct ruleset *ruleset, enum verdict action,
		      int (*parse)(struct scanner *scan, struct rule *rule))
{
	struct rule rule = { .action = action, .row = scan->row };
	struct token start = scan->token;
	int err = advance(scan) ?: parse(scan, &rule);

	if (!err)
		err = ruleset_add(ruleset, &rule);
	if (err == -ENOSPC)
		wrong(scan, &start, "expected at most %d rules", MAX_RULES);
	rule_clear(&rule);
	return err;
}

/* A setting is said once; said again it must say the same. */
static int set_once(struct scanner *scan, enum verdict *setting, unsigned int *row,
		    enum verdict value)
{
	if (*row && *setting != value)
		return wrong(scan, &scan->token, "but line %u says otherwise", *row);
	*setting = value;
	*row = scan->row;
	return advance(scan);
}

static int parse_default(struct scanner *scan, struct ruleset *ruleset)
{
	if (is_word(&scan->token, "reject"))
		return set_once(scan, &ruleset->fallback, &ruleset->fallback_row,
				VERDICT_REJECT);
	if (is_word(&scan->token, "allow"))
		return set_once(scan, &ruleset->fallback, &ruleset->fallback_row, VERDICT_PASS);
	if (is_word(&scan->token, "drop"))
		return set_once(scan, &ruleset->fallback, &ruleset->fallback_row, VERDICT_DROP);
	return wrong(scan, &scan->token, "expected allow, drop or reject");
}

static int parse_value(struct scanner *scan, struct ruleset *ruleset, enum rule_option option)
{
	const struct option_words *words = &option_words[option];
	enum verdict value;
	int err = advance(scan);

	if (err)
		return err;
	if (is_word(&scan->token, words->pass))
		value = VERDICT_PASS;
	else if (is_word(&scan->token, words->drop))
		value = VERDICT_DROP;
	else
		return wrong(scan, &scan->token, "expected %s or %s", words->pass, words->drop);
	return set_once(scan, &ruleset->options[option], &ruleset->option_rows[option], value);
}

static int parse_option(struct scanner *scan, struct ruleset *ruleset)
{
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		if (is_word(&scan->token, option_words[option].name))
			return parse_value(scan, ruleset, option);
	}
	return wrong(scan, &scan->token,
		     "expected an option: fragments, icmp-errors, neighbours, echo or dhcp");
}

static int parse_setting(struct scanner *scan, struct ruleset *ruleset, bool option)
{
	int err = advance(scan);

	if (!err)
		err = option ? parse_option(scan, ruleset) : parse_default(scan, ruleset);
	if (!err && scan->token.kind != TOKEN_END)
		return wrong(scan, &scan->token, "expected the end of the line");
	return err;
}

static int parse_statement(struct scanner *scan, struct ruleset *ruleset)
{
	for (enum verdict action = VERDICT_DROP; action <= VERDICT_REJECT; action++) {
		if (is_word(&scan->token, action_name(action)))
			return parse_rule(scan, ruleset, action, parse_plain_rule);
	}
	if (is_word(&scan->token, "default"))
		return parse_setting(scan, ruleset, false);
	if (is_word(&scan->token, "option"))
		return parse_setting(scan, ruleset, true);
	if (is_word(&scan->token, "knock"))
		return parse_rule(scan, ruleset, VERDICT_PASS, parse_knock);
	return wrong(scan, &scan->token,
		     "expected allow, drop, reject, knock, default or option");
}

/*
 * For a rule in each line at once, or the pages of all the smaller arrays would be had
 * before. Without it the array grows.
 */
static void make_room(struct ruleset *ruleset, const char *text)
{
	size_t lines = 1;

	if (ruleset->rules)
		return;
	for (const char *c = strchr(text, '\n'); c && lines < MAX_RULES;
	     c = strchr(c + 1, '\n'))
		lines++;
	ruleset->rules = large_calloc(lines, sizeof(*ruleset->rules));
	ruleset->room = ruleset->rules ? lines : 0;
}

int ruleset_parse(struct ruleset *ruleset, const char *text, struct report *report)
{
	struct scanner scan = { .line = text, .report = report };
	int err;

	make_room(ruleset, text);
	while (*scan.line) {
		scan.pos = scan.line;
		scan.row++;
		err = advance(&scan);
		if (!err && scan.token.kind != TOKEN_END)
			err = parse_statement(&scan, ruleset);
		if (err == -ENOMEM || err == -ENOSPC)
			return err;
		scan.line = strchrnul(scan.line, '\n');
		if (*scan.line)
			scan.line++;
	}
	return report->errors ? -EINVAL : 0;
}
