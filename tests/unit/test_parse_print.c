// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsing and printing random rulesets. Each ruleset is written with random spelling, parsed
 * and printed; the result must equal the canonical form, which this test prints with code of
 * its own. The canonical form, parsed and printed, must stay the same.
 */
#include "unit.h"

#include "random.h"

#define RULESETS 3000

static void print_ports(const struct term *term, FILE *out)
{
	static const char *const suffixes[] = { "", "/tcp", "/udp", "" };

	if (!term->transports)
		fprintf(out, "%u/ip", term->protocol);
	else if (term->first == term->last)
		fprintf(out, "%u%s", term->first, suffixes[term->transports]);
	else
		fprintf(out, "%u-%u%s", term->first, term->last, suffixes[term->transports]);
}

/* Returns a number by which terms sort into the order of the canonical form. */
static __u64 sort_key(const struct term *term)
{
	__u64 key = !term->transports;

	key = key << 8 | term->protocol;
	key = key << 16 | term->first;
	key = key << 16 | term->last;
	return key << 2 | term->transports;
}

/* Prints the terms sorted, each once: a selection sort, slow but simple. */
static void print_terms(const struct rule *rule, FILE *out)
{
	const struct term *next, *last = NULL;

	do {
		next = NULL;
		for (size_t i = 0; i < rule->term_count; i++) {
			const struct term *term = &rule->terms[i];

			if ((!last || sort_key(term) > sort_key(last)) &&
			    (!next || sort_key(term) < sort_key(next)))
				next = term;
		}
		if (next) {
			fputc(' ', out);
			print_ports(next, out);
		}
		last = next;
	} while (next);
}

static void print_canonical(const struct ruleset *ruleset, FILE *out)
{
	fprintf(out, "default %s\n", ruleset->fallback == VERDICT_PASS ? "allow" : "drop");
	if (ruleset->options[OPTION_FRAGMENTS] == VERDICT_DROP)
		fputs("option fragments drop\n", out);
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		fputs(rule->action == VERDICT_PASS ? "allow" : "drop", out);
		print_terms(rule, out);
		if (*rule->iface)
			fprintf(out, " on %s", rule->iface);
		if (rule->comment)
			fputs(" comment \"", out);
		for (const char *c = rule->comment; c && *c; c++)
			fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
		fputs(rule->comment ? "\"\n" : "\n", out);
	}
}

static void spell_space(struct random *random, bool needed, FILE *out)
{
	static const char *const spaces[] = { " ", "  ", "\t", " \t ", "\r", "\v", "\f" };
	unsigned int choice = random_below(random, ARRAY_SIZE(spaces) + 4);

	if (choice < ARRAY_SIZE(spaces))
		fputs(spaces[choice], out);
	else if (needed)
		fputc(' ', out);
}

static void spell_number(struct random *random, unsigned int number, FILE *out)
{
	fprintf(out, "%0*u", (int)random_below(random, 8), number);
}

/* Returns the protocol's name, or NULL if it has none and only its number can be written. */
static const char *protocol_of(const struct term *term)
{
	static const char *const names[256] = {
		[1] = "icmp", [2] = "igmp", [47] = "gre", [50] = "esp", [51] = "ah",
	};

	return names[term->protocol];
}

static void spell_term(struct random *random, const struct term *term, FILE *out)
{
	static const char *const suffixes[] = { "", "/tcp", "/udp", "" };
	bool ssh = term->first == 22 && term->last == 22 && term->transports == TRANSPORT_TCP;

	if (!term->transports && protocol_of(term) && random_once_in(random, 2)) {
		fputs(protocol_of(term), out);
	} else if (!term->transports) {
		spell_number(random, term->protocol, out);
		fputs("/ip", out);
	} else if (ssh && random_once_in(random, 2)) {
		fputs(random_once_in(random, 2) ? "ssh" : "ssh/tcp", out);
	} else {
		spell_number(random, term->first, out);
		if (term->last != term->first || random_once_in(random, 4)) {
			fputc('-', out);
			spell_number(random, term->last, out);
		}
		fputs(suffixes[term->transports], out);
	}
}

static void spell_terms(struct random *random, const struct rule *rule, FILE *out)
{
	for (size_t i = 0; i < rule->term_count; i++) {
		bool comma = i && random_once_in(random, 2);

		spell_space(random, !comma, out);
		if (comma) {
			fputc(',', out);
			spell_space(random, false, out);
		}
		spell_term(random, &rule->terms[i], out);
	}
}

/* A backslash may precede any character of one byte. */
static void spell_comment(struct random *random, const char *comment, FILE *out)
{
	spell_space(random, true, out);
	fputs("comment", out);
	spell_space(random, false, out);
	fputc('"', out);
	for (; *comment; comment++) {
		bool needed = *comment == '"' || *comment == '\\';

		if (needed || (!(*comment & 0x80) && random_once_in(random, 8)))
			fputc('\\', out);
		fputc(*comment, out);
	}
	fputc('"', out);
}

static void spell_rule(struct random *random, const struct rule *rule, FILE *out)
{
	bool comment_first = random_once_in(random, 2);

	spell_space(random, false, out);
	fputs(rule->action == VERDICT_PASS ? "allow" : "drop", out);
	spell_terms(random, rule, out);
	if (rule->comment && comment_first)
		spell_comment(random, rule->comment, out);
	if (*rule->iface) {
		spell_space(random, true, out);
		fputs("on", out);
		spell_space(random, true, out);
		fputs(rule->iface, out);
	}
	if (rule->comment && !comment_first)
		spell_comment(random, rule->comment, out);
}

static void spell_end(struct random *random, FILE *out)
{
	spell_space(random, false, out);
	if (random_once_in(random, 4))
		fputs("# allow \"this", out);
	fputs(random_once_in(random, 4) ? "\r\n" : "\n", out);
	if (random_once_in(random, 6))
		spell_end(random, out);
}

static void spell_settings(struct random *random, const struct ruleset *ruleset, FILE *out)
{
	if (ruleset->fallback == VERDICT_DROP || random_once_in(random, 2)) {
		fprintf(out, "default %s",
			ruleset->fallback == VERDICT_DROP ? "drop" : "allow");
		spell_end(random, out);
	}
	if (ruleset->options[OPTION_FRAGMENTS] == VERDICT_DROP || random_once_in(random, 2)) {
		fprintf(out, "option\tfragments %s",
			ruleset->options[OPTION_FRAGMENTS] == VERDICT_DROP ? "drop" : "pass");
		spell_end(random, out);
	}
}

/* Writes the settings anywhere among the rules, and repeats them. */
static void spell(struct random *random, const struct ruleset *ruleset, FILE *out)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (random_once_in(random, 10))
			spell_settings(random, ruleset, out);
		spell_rule(random, &ruleset->rules[i], out);
		spell_end(random, out);
	}
	spell_settings(random, ruleset, out);
}

static void random_comment(struct random *random, struct rule *rule)
{
	static const char *const parts[] = { "a", "Z", "9", " ", "on", "\"",   "\\",
					     "#", ",", "/", "ä", "€",  "🙂", "comment" };
	unsigned int count = random_below(random, 20);
	size_t size;
	FILE *out = open_memstream(&rule->comment, &size);

	while (count--)
		fputs(parts[random_below(random, ARRAY_SIZE(parts))], out);
	fclose(out);
}

static void check_ruleset(struct random *random, struct ruleset *ruleset, __u64 seed)
{
	cleanup_free char *spelled = NULL, *canonical = NULL;
	size_t size;
	FILE *out = open_memstream(&spelled, &size);

	spell(random, ruleset, out);
	fclose(out);
	out = open_memstream(&canonical, &size);
	print_canonical(ruleset, out);
	fclose(out);
	for (int round = 0; round < 2; round++) {
		cleanup_free char *got = NULL;
		struct parsed parsed;

		parsed_text(&parsed, round ? canonical : spelled);
		got = printed(&parsed.ruleset);
		if (parsed.err || strcmp(got, canonical))
			fail_msg("seed %llu, round %d: %s\n%s\ngave\n%s\nexpected\n%s", seed,
				 round, parsed.messages, spelled, got, canonical);
		parsed_clear(&parsed);
	}
}

static void test_random_spelling_prints_canonically(void **state)
{
	(void)state;
	for (__u64 seed = 1; seed <= RULESETS; seed++) {
		struct random random = { seed };
		struct ruleset ruleset;

		random_ruleset(&random, random_below(&random, 30), &ruleset);
		for (size_t i = 0; i < ruleset.count; i++) {
			if (random_once_in(&random, 3))
				random_comment(&random, &ruleset.rules[i]);
		}
		check_ruleset(&random, &ruleset, seed);
		ruleset_clear(&ruleset);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_spelling_prints_canonically),
	};

	return run_suite("parse_print", tests);
}
