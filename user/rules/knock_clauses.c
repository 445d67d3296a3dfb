// SPDX-License-Identifier: GPL-2.0-only
#include "rules/knock_clauses.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "base/text.h"
#include "rules/ruleset_clauses.h"
#include "rules/totp.h"

#define GRANT_SECONDS_MAX (365 * 86400)
#define PATH_LENGTH_MAX 256

enum knock_kind knock_kind(const struct knock *knock)
{
	if (knock->signed_key)
		return KNOCK_SIGNED;
	return knock->secret ? KNOCK_TIMED : KNOCK_STEPS;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Arguments that several clauses and kinds have: a step, a file, a time. */

/* Reads one port or range into *term; false if the token is anything else. */
static bool read_port_range(const struct token *token, struct term *term)
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

	if (!read_port_range(token, &term) || term.first != term.last ||
	    term.transports == TRANSPORT_BOTH)
		return scan_wrong(scan, token,
				  "expected a port and its protocol, as in 7000/tcp");
	if (sequence->count == MAX_STEPS)
		return scan_wrong(scan, token, "expected at most %d steps", MAX_STEPS);
	sequence->steps[sequence->count++] =
		(term.transports == TRANSPORT_TCP ? PORT_KEY_TCP : PORT_KEY_UDP) + term.first;
	return scan_next(scan);
}

static int parse_steps(struct scanner *scan, struct sequence *sequence)
{
	int err;

	do {
		err = parse_step(scan, sequence);
		if (!err && scan->token.kind == TOKEN_COMMA)
			err = scan_next(scan);
	} while (!err && scan->token.kind == TOKEN_WORD && !knock_ends_ports(&scan->token));
	return err;
}

static void print_steps(const char *word, const struct sequence *sequence, FILE *out)
{
	fprintf(out, " %s", word);
	for (__u32 i = 0; i < sequence->count; i++)
		fprintf(out, " %u/%s", key_port(sequence->steps[i]),
			key_protocol(sequence->steps[i]));
}

static bool same_steps(const struct sequence *a, const struct sequence *b)
{
	return a->count == b->count &&
	       !memcmp(a->steps, b->steps, a->count * sizeof(*a->steps));
}

static int parse_path(struct scanner *scan, char **path)
{
	if (scan->token.kind != TOKEN_WORD || *scan->token.text != '/' ||
	    scan->token.length >= PATH_LENGTH_MAX)
		return scan_wrong(scan, &scan->token,
				  "expected the path of a file, beginning with /");
	*path = strndup(scan->token.text, scan->token.length);
	if (!*path)
		return -ENOMEM;
	if (!text_is_showable(*path))
		return scan_wrong(scan, &scan->token,
				  "expected UTF-8 text without control characters");
	return scan_next(scan);
}

/* Reads a number from 0 or 1 (`least`) to `max`; `what` names it in the error. */
static int parse_count(struct scanner *scan, unsigned long least, unsigned long max,
		       const char *what, __u32 *count)
{
	const struct token *token = &scan->token;
	unsigned long number;

	if (token->kind != TOKEN_WORD ||
	    number_parse(token->text, token->length, max, &number) || number < least)
		return scan_wrong(scan, token, "expected a number of %s from %lu to %lu", what,
				  least, max);
	*count = number;
	return scan_next(scan);
}

static void print_time_clause(const char *word, __u32 seconds, FILE *out)
{
	fprintf(out, " %s ", word);
	time_print(seconds, out);
}

/* spa PORT/udp keys FILE */

static int parse_signed(struct scanner *scan, struct knock *knock)
{
	struct sequence port = { 0 };
	int err = parse_step(scan, &port);

	if (err)
		return err;
	if (port.steps[0] < PORT_KEY_UDP)
		return scan_wrong(scan, &scan->token,
				  "but the port before it is TCP: expected UDP");
	knock->signed_key = port.steps[0];
	knock->skew = KNOCK_SKEW;
	if (!token_is(&scan->token, "keys"))
		return scan_wrong(scan, &scan->token, "expected \"keys\" and a file");
	err = scan_next(scan);
	return err ?: parse_path(scan, &knock->keys);
}

static void print_signed(const struct knock *knock, FILE *out)
{
	fprintf(out, " spa %u/udp keys %s", key_port(knock->signed_key), knock->keys);
}

static bool same_signed(const struct knock *a, const struct knock *b)
{
	return a->signed_key == b->signed_key && is_same_text(a->keys, b->keys);
}

/* totp FILE steps N ports RANGE */

static int parse_range(struct scanner *scan, struct knock *knock)
{
	const struct token *token = &scan->token;

	if (!read_port_range(token, &knock->range))
		return scan_wrong(scan, token,
				  "expected a range of ports, as in 20000-29999/udp");
	if (totp_range(knock) < 2 * knock->steps)
		return scan_wrong(scan, token,
				  "but that is too narrow: expected at least %u ports",
				  2 * knock->steps);
	return scan_next(scan);
}

static int parse_timed(struct scanner *scan, struct knock *knock)
{
	int err = parse_path(scan, &knock->secret);

	if (!err && !token_is(&scan->token, "steps"))
		return scan_wrong(scan, &scan->token, "expected \"steps\" and their number");
	err = err ?: scan_next(scan);
	err = err ?: parse_count(scan, 1, MAX_STEPS, "steps", &knock->steps);
	if (!err && !token_is(&scan->token, "ports"))
		return scan_wrong(scan, &scan->token, "expected \"ports\" and a range of them");
	err = err ?: scan_next(scan);
	return err ?: parse_range(scan, knock);
}

static void print_timed(const struct knock *knock, FILE *out)
{
	fprintf(out, " totp %s steps %u ports ", knock->secret, knock->steps);
	term_print(&knock->range, out);
}

static bool same_timed(const struct knock *a, const struct knock *b)
{
	return is_same_text(a->secret, b->secret) && a->steps == b->steps &&
	       !term_compare(&a->range, &b->range);
}

static bool same_nothing(const struct knock *a, const struct knock *b)
{
	(void)a;
	(void)b;
	return true;
}

const struct knock_kind_info knock_kinds[KNOCK_KINDS] = {
	[KNOCK_STEPS] = {
		.plural = "knocks by steps",
		.help = "a packet to each STEP, in this order, opens",
		.example = "knock a opens 22/tcp for 30s after 7000/tcp 9000/udp within 10s",
		.is_same = same_nothing,
	},
	[KNOCK_SIGNED] = {
		.word = "spa",
		.arguments = "PORT/udp keys FILE",
		.plural = "signed knocks",
		.help = "one signed datagram to PORT opens PORTS, if its sender has a key in FILE",
		.example = "knock a spa 62201/udp keys /k opens 22/tcp for 30s",
		.parse = parse_signed,
		.print = print_signed,
		.is_same = same_signed,
	},
	[KNOCK_TIMED] = {
		.word = "totp",
		.arguments = "FILE steps N ports RANGE",
		.plural = "timed knocks",
		.help = "N steps are made from a secret and the time, new ones every 30 seconds "
			"(RFC 6238); FILE holds what \"openssl rand -hex 32\" prints; opens "
			"nothing unless \"portctl knock serve\" is running",
		.example = "knock a totp /s steps 3 ports 20000-29999 opens 22/tcp for 30s "
			   "within 10s",
		.parse = parse_timed,
		.print = print_timed,
		.is_same = same_timed,
	},
};

/* for TIME [once] */

static int knock_parse_for(struct scanner *scan, struct knock *knock)
{
	int err = scan_time(scan, GRANT_SECONDS_MAX, &knock->seconds,
			    "expected a time of at most a year, as in 30s, 5m, 2h or 1d");

	if (!err && token_is(&scan->token, "once")) {
		knock->once = true;
		err = scan_next(scan);
	}
	return err;
}

static void knock_print_for(const struct knock *knock, FILE *out)
{
	print_time_clause("for", knock->seconds, out);
	if (knock->once)
		fputs(" once", out);
}

static bool knock_has_for(const struct knock *knock)
{
	return knock->seconds;
}

static bool knock_same_for(const struct knock *a, const struct knock *b)
{
	return a->seconds == b->seconds && a->once == b->once;
}

/* after STEP... */

static int parse_after(struct scanner *scan, struct knock *knock)
{
	return parse_steps(scan, &knock->sequences[SEQUENCE_OPEN]);
}

static void print_after(const struct knock *knock, FILE *out)
{
	print_steps("after", &knock->sequences[SEQUENCE_OPEN], out);
}

static bool has_after(const struct knock *knock)
{
	return knock->sequences[SEQUENCE_OPEN].count;
}

static bool same_after(const struct knock *a, const struct knock *b)
{
	return same_steps(&a->sequences[SEQUENCE_OPEN], &b->sequences[SEQUENCE_OPEN]);
}

/* within TIME */

static int parse_within(struct scanner *scan, struct knock *knock)
{
	return scan_time(scan, ATTEMPT_SECONDS, &knock->window,
			 "expected a time of at most an hour, as in 10s");
}

static void print_within(const struct knock *knock, FILE *out)
{
	print_time_clause("within", knock->window, out);
}

static bool has_within(const struct knock *knock)
{
	return knock->window;
}

static bool same_within(const struct knock *a, const struct knock *b)
{
	return a->window == b->window;
}

/* skew TIME */

static int parse_skew(struct scanner *scan, struct knock *knock)
{
	return scan_time(scan, SKEW_MAX, &knock->skew,
			 "expected a time of at most an hour, as in 30s");
}

static void print_skew(const struct knock *knock, FILE *out)
{
	print_time_clause("skew", knock->skew, out);
}

static bool has_skew(const struct knock *knock)
{
	return knock->skew != (knock_kind(knock) == KNOCK_SIGNED ? KNOCK_SKEW : 0);
}

static bool same_skew(const struct knock *a, const struct knock *b)
{
	return a->skew == b->skew;
}

/* close STEP... */

static int parse_close(struct scanner *scan, struct knock *knock)
{
	return parse_steps(scan, &knock->sequences[SEQUENCE_CLOSE]);
}

static void print_close(const struct knock *knock, FILE *out)
{
	print_steps("close", &knock->sequences[SEQUENCE_CLOSE], out);
}

static bool has_close(const struct knock *knock)
{
	return knock->sequences[SEQUENCE_CLOSE].count;
}

static bool same_close(const struct knock *a, const struct knock *b)
{
	return same_steps(&a->sequences[SEQUENCE_CLOSE], &b->sequences[SEQUENCE_CLOSE]);
}

/* misses N */

static int parse_misses(struct scanner *scan, struct knock *knock)
{
	return parse_count(scan, 0, ATTEMPT_MISSES, "misses", &knock->misses);
}

static void print_misses(const struct knock *knock, FILE *out)
{
	fprintf(out, " misses %u", knock->misses);
}

static bool has_misses(const struct knock *knock)
{
	return knock->misses != KNOCK_MISSES;
}

static bool same_misses(const struct knock *a, const struct knock *b)
{
	return a->misses == b->misses;
}

/* per /64 */

static int parse_per_net(struct scanner *scan, struct knock *knock)
{
	if (!token_is(&scan->token, "/64"))
		return scan_wrong(scan, &scan->token, "expected /64");
	knock->per_net = true;
	return scan_next(scan);
}

static void print_per_net(const struct knock *knock, FILE *out)
{
	(void)knock;
	fputs(" per /64", out);
}

static bool has_per_net(const struct knock *knock)
{
	return knock->per_net;
}

static bool same_per_net(const struct knock *a, const struct knock *b)
{
	return a->per_net == b->per_net;
}

#define STEPS (1u << KNOCK_STEPS)
#define SIGNED (1u << KNOCK_SIGNED)
#define TIMED (1u << KNOCK_TIMED)

/* A test fails if a row leaves a field out. */
const struct knock_clause knock_clauses[] = {
	{
		.word = "for",
		.arguments = "TIME [once]",
		.help = "how long the port stays open to the source; once: for one connection",
		.missing = "how long it opens",
		.example = "for 30s",
		.kinds = STEPS | SIGNED | TIMED,
		.needed = STEPS | SIGNED | TIMED,
		.parse = knock_parse_for,
		.print = knock_print_for,
		.is_given = knock_has_for,
		.is_same = knock_same_for,
	},
	{
		.word = "after",
		.arguments = "STEP...",
		.help = "the ports to touch, each with its protocol, as in 7000/tcp 9000/udp",
		.missing = "the steps",
		.example = "after 7000/tcp 8000/udp",
		.kinds = STEPS,
		.needed = STEPS,
		.parse = parse_after,
		.print = print_after,
		.is_given = has_after,
		.is_same = same_after,
	},
	{
		.word = "within",
		.arguments = "TIME",
		.help = "how long the whole sequence may take",
		.missing = "how long the steps may take",
		.example = "within 10s",
		.kinds = STEPS | TIMED,
		.needed = STEPS | TIMED,
		.parse = parse_within,
		.print = print_within,
		.is_given = has_within,
		.is_same = same_within,
	},
	{
		.word = "skew",
		.arguments = "TIME",
		.help = "of spa: how far the sender's clock may be off (30s)",
		.example = "skew 5s",
		.kinds = SIGNED,
		.parse = parse_skew,
		.print = print_skew,
		.is_given = has_skew,
		.is_same = same_skew,
	},
	{
		.word = "close",
		.arguments = "STEP...",
		.help = "touching these ports in this order ends the grant at once",
		.example = "close 9000/tcp 8000/udp",
		.kinds = STEPS,
		.parse = parse_close,
		.print = print_close,
		.is_given = has_close,
		.is_same = same_close,
	},
	{
		.word = "misses",
		.arguments = "N",
		.help = "how many wrong ports a source may touch on the way (2)",
		.example = "misses 5",
		.kinds = STEPS | TIMED,
		.parse = parse_misses,
		.print = print_misses,
		.is_given = has_misses,
		.is_same = same_misses,
	},
	{
		.word = "per",
		.arguments = "/64",
		.help = "a knock from an IPv6 source opens for its whole /64",
		.example = "per /64",
		.kinds = STEPS | SIGNED | TIMED,
		.parse = parse_per_net,
		.print = print_per_net,
		.is_given = has_per_net,
		.is_same = same_per_net,
	},
};

const size_t knock_clause_count = ARRAY_SIZE(knock_clauses);

const struct knock_clause *knock_clause_find(const struct token *token)
{
	for (size_t i = 0; i < knock_clause_count; i++) {
		if (token_is(token, knock_clauses[i].word))
			return &knock_clauses[i];
	}
	return NULL;
}

bool knock_ends_ports(const struct token *token)
{
	return knock_clause_find(token) || clause_find(token, IN_KNOCK);
}

int knock_clause_unknown(struct scanner *scan)
{
	struct word_list words = { 0 };

	for (size_t i = 0; i < knock_clause_count; i++)
		word_list_add(&words, knock_clauses[i].word);
	clauses_list(IN_KNOCK, &words);
	word_list_add(&words, "the end of the line");
	return scan_wrong_word(scan, "expected ", &words);
}

void knock_describe_kinds(describe_fn *describe, void *data)
{
	for (enum knock_kind kind = 0; kind < KNOCK_KINDS; kind++) {
		const struct knock_kind_info *info = &knock_kinds[kind];
		char term[DESCRIBED_TERM];

		if (!info->word)
			continue;
		snprintf(term, sizeof(term), "%s %s", info->word, info->arguments);
		describe(term, info->help, data);
	}
}

void knock_describe_clauses(describe_fn *describe, void *data)
{
	for (size_t i = 0; i < knock_clause_count; i++) {
		const struct knock_clause *clause = &knock_clauses[i];
		char term[DESCRIBED_TERM];

		snprintf(term, sizeof(term), "%s %s", clause->word, clause->arguments);
		describe(term, clause->help, data);
	}
	clauses_describe(IN_KNOCK, describe, data);
}
