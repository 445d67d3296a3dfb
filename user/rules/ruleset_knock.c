// SPDX-License-Identifier: GPL-2.0-only
/* "knock NAME opens PORTS ...": how it is read and printed. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/knock_verbs.h"
#include "rules/scan.h"
#include "rules/totp.h"
#include "base/array.h"
#include "base/number.h"
#include "base/text.h"

#define GRANT_SECONDS_MAX (365 * 86400)
#define PATH_LENGTH_MAX 256

/* "portctl knock" would take these names for its verbs. */
#define VERB_NAME(verb) #verb,
static const char *const reserved[] = { KNOCK_VERBS(VERB_NAME) };

static bool is_knock_word(const struct token *token);

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
		if (is_word(token, reserved[i]))
			return false;
	}
	return true;
}

static int parse_name(struct scanner *scan, struct knock *knock)
{
	if (!is_name(&scan->token))
		return wrong(scan, &scan->token,
			     "expected a name for the door: letters, digits, - and _, at most "
			     "%d, and no word of \"portctl knock\"",
			     KNOCK_NAME_MAX);
	memcpy(knock->name, scan->token.text, scan->token.length);
	return advance(scan);
}

/* One port, or range of them; false where the token is anything else. */
static bool read_term(const struct token *token, struct term *term)
{
	struct term terms[2];
	const char *expected;

	if (token->kind != TOKEN_WORD ||
	    term_parse(token->text, token->length, terms, &expected) != 1 ||
	    !terms[0].transports)
		return false;
	*term = terms[0];
	return true;
}

static int parse_step(struct scanner *scan, struct sequence *sequence)
{
	const struct token *token = &scan->token;
	struct term term;

	if (!read_term(token, &term) || term.first != term.last ||
	    term.transports == TRANSPORT_BOTH)
		return wrong(scan, token, "expected a port and its protocol, as in 7000/tcp");
	if (sequence->count == MAX_STEPS)
		return wrong(scan, token, "expected at most %d steps", MAX_STEPS);
	sequence->steps[sequence->count++] =
		(term.transports == TRANSPORT_TCP ? PORT_KEY_TCP : PORT_KEY_UDP) + term.first;
	return advance(scan);
}

static int parse_path(struct scanner *scan, char **path)
{
	if (scan->token.kind != TOKEN_WORD || *scan->token.text != '/' ||
	    scan->token.length >= PATH_LENGTH_MAX)
		return wrong(scan, &scan->token, "expected the path of a file, from / on");
	*path = strndup(scan->token.text, scan->token.length);
	if (!*path)
		return -ENOMEM;
	if (!text_is_showable(*path))
		return wrong(scan, &scan->token,
			     "expected UTF-8 text without control characters");
	return advance(scan);
}

/* "spa PORT/udp keys FILE" */
static int parse_signed(struct scanner *scan, struct knock *knock)
{
	struct sequence port = { 0 };
	int err = advance(scan) ?: parse_step(scan, &port);

	if (err)
		return err;
	if (port.steps[0] < PORT_KEY_UDP)
		return wrong(scan, &scan->token,
			     "but before it stands a TCP port: expected UDP");
	knock->signed_key = port.steps[0];
	knock->skew = KNOCK_SKEW;
	if (!is_word(&scan->token, "keys"))
		return wrong(scan, &scan->token, "expected \"keys\" and a file");
	err = advance(scan);
	if (err)
		return err;
	return parse_path(scan, &knock->keys);
}

static int parse_range(struct scanner *scan, struct knock *knock)
{
	const struct token *token = &scan->token;

	if (!read_term(token, &knock->range))
		return wrong(scan, token, "expected a range of ports, as in 20000-29999/udp");
	if (totp_range(knock) < 2 * knock->steps)
		return wrong(scan, token, "but that is too narrow: expected at least %u ports",
			     2 * knock->steps);
	return advance(scan);
}

/* "totp SECRETFILE steps N ports RANGE" */
static int parse_timed(struct scanner *scan, struct knock *knock)
{
	unsigned long steps;
	int err = advance(scan) ?: parse_path(scan, &knock->secret);

	if (!err && !is_word(&scan->token, "steps"))
		return wrong(scan, &scan->token, "expected \"steps\" and how many");
	err = err ?: advance(scan);
	if (!err &&
	    (scan->token.kind != TOKEN_WORD ||
	     number_parse(scan->token.text, scan->token.length, MAX_STEPS, &steps) || !steps))
		return wrong(scan, &scan->token, "expected a number of steps from 1 to %d",
			     MAX_STEPS);
	err = err ?: advance(scan);
	if (err)
		return err;
	knock->steps = steps;
	if (!is_word(&scan->token, "ports"))
		return wrong(scan, &scan->token, "expected \"ports\" and a range of them");
	return advance(scan) ?: parse_range(scan, knock);
}

static int parse_sequence(struct scanner *scan, struct sequence *sequence)
{
	int err;

	do {
		err = parse_step(scan, sequence);
		if (!err && scan->token.kind == TOKEN_COMMA)
			err = advance(scan);
	} while (!err && scan->token.kind == TOKEN_WORD && !is_knock_word(&scan->token));
	return err;
}

static int parse_after(struct scanner *scan, struct knock *knock)
{
	return parse_sequence(scan, &knock->sequences[SEQUENCE_OPEN]);
}

static int parse_close(struct scanner *scan, struct knock *knock)
{
	return parse_sequence(scan, &knock->sequences[SEQUENCE_CLOSE]);
}

static int parse_time(struct scanner *scan, __u32 *seconds, __u32 max, const char *expected)
{
	if (scan->token.kind != TOKEN_WORD ||
	    time_parse(scan->token.text, scan->token.length, max, seconds))
		return wrong(scan, &scan->token, "%s", expected);
	return advance(scan);
}

static int parse_for(struct scanner *scan, struct knock *knock)
{
	int err = parse_time(scan, &knock->seconds, GRANT_SECONDS_MAX,
			     "expected a time of at most a year, as in 30s, 5m, 2h or 1d");

	if (!err && is_word(&scan->token, "once")) {
		knock->once = true;
		err = advance(scan);
	}
	return err;
}

static int parse_within(struct scanner *scan, struct knock *knock)
{
	return parse_time(scan, &knock->window, ATTEMPT_SECONDS,
			  "expected a time of at most an hour, as in 10s");
}

static int parse_skew(struct scanner *scan, struct knock *knock)
{
	return parse_time(scan, &knock->skew, SKEW_MAX,
			  "expected a time of at most an hour, as in 30s");
}

static int parse_misses(struct scanner *scan, struct knock *knock)
{
	unsigned long misses;

	if (scan->token.kind != TOKEN_WORD ||
	    number_parse(scan->token.text, scan->token.length, ATTEMPT_MISSES, &misses))
		return wrong(scan, &scan->token, "expected a number of misses from 0 to %d",
			     ATTEMPT_MISSES);
	knock->misses = misses;
	return advance(scan);
}

static int parse_per(struct scanner *scan, struct knock *knock)
{
	if (!is_word(&scan->token, "/64"))
		return wrong(scan, &scan->token, "expected /64");
	knock->per_net = true;
	return advance(scan);
}

static const struct {
	const char *word;
	int (*parse)(struct scanner *scan, struct knock *knock);
} clauses[] = {
	{ "for", parse_for },	  { "after", parse_after },   { "within", parse_within },
	{ "close", parse_close }, { "misses", parse_misses }, { "per", parse_per },
	{ "skew", parse_skew },
};

static bool is_knock_word(const struct token *token)
{
	for (size_t i = 0; i < ARRAY_SIZE(clauses); i++) {
		if (is_word(token, clauses[i].word))
			return true;
	}
	return is_word(token, "comment");
}

/* `had`: a bit for each clause that there was. */
static int parse_knock_clause(struct scanner *scan, struct rule *rule, unsigned int *had)
{
	for (size_t i = 0; i < ARRAY_SIZE(clauses); i++) {
		if (!is_word(&scan->token, clauses[i].word))
			continue;
		if (*had & 1u << i)
			return wrong(scan, &scan->token, "expected only one \"%s\" in a knock",
				     clauses[i].word);
		*had |= 1u << i;
		return advance(scan) ?: clauses[i].parse(scan, rule->knock);
	}
	if (is_word(&scan->token, "comment"))
		return parse_clause(scan, rule);
	return wrong(
		scan, &scan->token,
		"expected for, after, within, close, misses, per, skew, comment or the end");
}

static int check_seconds(struct scanner *scan, const struct knock *knock)
{
	if (!knock->seconds)
		return wrong(scan, &scan->token,
			     "expected \"for\" and how long it opens, as in for 30s");
	return 0;
}

static int check_window(struct scanner *scan, const struct knock *knock)
{
	if (!knock->window)
		return wrong(scan, &scan->token,
			     "expected \"within\" and how long the steps may take, as in "
			     "within 10s");
	return 0;
}

static int check_signed(struct scanner *scan, const struct knock *knock)
{
	if (knock->sequences[SEQUENCE_OPEN].count || knock->sequences[SEQUENCE_CLOSE].count ||
	    knock->window || knock->misses != KNOCK_MISSES)
		return wrong(scan, &scan->token, "but a signed knock has no steps");
	return check_seconds(scan, knock);
}

static int check_timed(struct scanner *scan, const struct rule *rule)
{
	const struct knock *knock = rule->knock;

	if (knock->sequences[SEQUENCE_OPEN].count || knock->sequences[SEQUENCE_CLOSE].count)
		return wrong(scan, &scan->token, "but the steps of this knock are made");
	for (size_t i = 0; i < rule->term_count; i++) {
		const struct term *term = &rule->terms[i];

		if (term->transports & knock->range.transports &&
		    term->first <= knock->range.last && knock->range.first <= term->last)
			return wrong(scan, &scan->token,
				     "but it opens ports of the range that is knocked at");
	}
	return check_seconds(scan, knock) ?: check_window(scan, knock);
}

static int check_whole(struct scanner *scan, const struct rule *rule)
{
	const struct knock *knock = rule->knock;

	for (size_t i = 0; i < rule->term_count; i++) {
		if (!rule->terms[i].transports)
			return wrong(scan, &scan->token, "but a door has ports only");
	}
	if (knock->signed_key)
		return check_signed(scan, knock);
	if (knock->skew)
		return wrong(scan, &scan->token, "but \"skew\" is for signed knocks");
	if (knock->secret)
		return check_timed(scan, rule);
	if (!knock->sequences[SEQUENCE_OPEN].count)
		return wrong(scan, &scan->token,
			     "expected \"after\" and the steps, as in after 7000/tcp 8000/udp");
	return check_seconds(scan, knock) ?: check_window(scan, knock);
}

int parse_knock(struct scanner *scan, struct rule *rule)
{
	unsigned int had = 0;
	int err;

	rule->knock = calloc(1, sizeof(*rule->knock));
	if (!rule->knock)
		return -ENOMEM;
	rule->knock->misses = KNOCK_MISSES;
	err = parse_name(scan, rule->knock);
	if (!err && is_word(&scan->token, "spa"))
		err = parse_signed(scan, rule->knock);
	else if (!err && is_word(&scan->token, "totp"))
		err = parse_timed(scan, rule->knock);
	if (!err && !is_word(&scan->token, "opens"))
		return wrong(scan, &scan->token, "expected \"opens\"");
	err = err ?: advance(scan) ?: parse_terms(scan, rule, is_knock_word);
	while (!err && scan->token.kind != TOKEN_END)
		err = parse_knock_clause(scan, rule, &had);
	return err ?: check_whole(scan, rule);
}

static void print_sequence(const char *word, const struct sequence *sequence, FILE *out)
{
	if (sequence->count)
		fprintf(out, " %s", word);
	for (__u32 i = 0; i < sequence->count; i++)
		fprintf(out, " %u/%s", key_port(sequence->steps[i]),
			key_protocol(sequence->steps[i]));
}

static void print_time_clause(const char *word, __u32 seconds, FILE *out)
{
	if (!seconds)
		return;
	fprintf(out, " %s ", word);
	time_print(seconds, out);
}

void knock_print(const struct rule *rule, FILE *out)
{
	const struct knock *knock = rule->knock;

	fprintf(out, "knock %s", knock->name);
	if (knock->signed_key)
		fprintf(out, " spa %u/udp keys %s", key_port(knock->signed_key), knock->keys);
	if (knock->secret) {
		fprintf(out, " totp %s steps %u ports ", knock->secret, knock->steps);
		term_print(&knock->range, out);
	}
	fputs(" opens", out);
	terms_print(rule, out);
	fputs(" for ", out);
	time_print(knock->seconds, out);
	if (knock->once)
		fputs(" once", out);
	print_sequence("after", &knock->sequences[SEQUENCE_OPEN], out);
	print_time_clause("within", knock->window, out);
	if (knock->skew != KNOCK_SKEW)
		print_time_clause("skew", knock->skew, out);
	print_sequence("close", &knock->sequences[SEQUENCE_CLOSE], out);
	if (knock->misses != KNOCK_MISSES)
		fprintf(out, " misses %u", knock->misses);
	if (knock->per_net)
		fputs(" per /64", out);
}
