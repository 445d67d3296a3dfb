// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of the grammar: clauses, knocks and options. A row that leaves something out, or
 * that the compiler, a comparison, the manual or the fuzzer does not know, fails here.
 */
#include "unit.h"

#include <ctype.h>
#include <errno.h>

#include "base/file.h"
#include "compile/compile.h"
#include "compile/lines.h"
#include "rules/knock_clauses.h"
#include "rules/ruleset_clauses.h"
#include "rules/ruleset_knock.h"
#include "compile/image.h"

#define MANUAL "scripts/man/portctl.rules.5"
#define DICTIONARY "tests/fuzz/ruleset.dict"

/* A statement that each clause can follow. */
static const struct {
	enum clause_statement statement;
	const char *text;
} statements[] = {
	{ IN_ALLOW, "allow 22" },
	{ IN_DROP, "drop 22" },
	{ IN_REJECT, "reject 22" },
	{ IN_KNOCK, "knock a opens 22 for 30s after 7000/tcp 9000/udp 8000/tcp within 10s" },
};

static void parsed_statement(struct parsed *parsed, const char *statement, const char *clause)
{
	cleanup_free char *text = NULL;

	assert_true(asprintf(&text, "%s %s", statement, clause) > 0);
	parsed_text(parsed, text);
}

/* Fails unless the file has the word, not as a part of a longer one. */
static void assert_mentioned(const char *path, const char *word)
{
	cleanup_free char *text = NULL;
	size_t size, length = strlen(word);
	const char *at;
	int err = file_read(path, &text, &size);

	assert_int_equal(err, 0);
	for (at = strstr(text, word); at; at = strstr(at + 1, word)) {
		bool begins = at == text || !isalpha((unsigned char)at[-1]);

		if (begins && !isalpha((unsigned char)at[length]))
			return;
	}
	fail_msg("%s does not mention \"%s\"", path, word);
}

/* Fails unless the manual page lists the word. */
static void assert_documented(const char *word)
{
	char item[64];

	snprintf(item, sizeof(item), ".It Cm %s", word);
	assert_mentioned(MANUAL, item);
}

static void test_clause_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < clause_count; i++) {
		const struct clause *clause = &clause_table[i];

		assert_non_null(clause->word);
		print_message("# %s\n", clause->word);
		assert_non_null(clause->arguments);
		assert_non_null(clause->help);
		assert_non_null(clause->example);
		assert_non_null(clause->parse);
		assert_non_null(clause->print);
		assert_non_null(clause->is_given);
		assert_non_null(clause->is_same);
		assert_non_null(clause->clear);
		assert_int_equal(__builtin_popcount(clause->role), 1);
		assert_int_equal(clause->role & ~CLAUSE_ALL, 0);
		assert_true(clause->statements & (IN_RULES | IN_KNOCK));
		assert_memory_equal(clause->example, clause->word, strlen(clause->word));
		assert_documented(clause->word);
		assert_mentioned(DICTIONARY, clause->word);
	}
}

/* What the role of a clause means to comparisons. */
static void check_comparisons(const struct clause *clause, const struct rule *with,
			      const struct rule *without)
{
	bool match = clause->role == CLAUSE_MATCH;

	assert_true(rule_same(with, with));
	assert_true(rule_is_meant(with, with));
	assert_false(rule_same(with, without));
	assert_false(rule_same(without, with));
	assert_false(rule_is_meant(without, with));
	assert_int_equal(rule_is_meant(with, without), !match);
	assert_int_equal(rule_same_match(with, without), !match);
	assert_true(clauses_given(with, clause->role));
	assert_false(clauses_given(with, CLAUSE_ALL & ~clause->role));
	assert_false(clauses_given(without, CLAUSE_ALL & ~CLAUSE_LABEL));
}

/* A label is printed only if asked for; all other clauses always are. */
static void check_printed(const struct clause *clause, const char *statement,
			  const struct rule *rule)
{
	cleanup_free char *whole = rule_text(rule, true), *bare = rule_text(rule, false);
	cleanup_free char *expected = NULL;

	assert_true(asprintf(&expected, "%s %s", statement, clause->example) > 0);
	assert_string_equal(whole, expected);
	assert_string_equal(bare, clause->role == CLAUSE_LABEL ? statement : expected);
}

static void check_twice(const struct clause *clause, const char *statement)
{
	cleanup_free char *twice = NULL;
	struct parsed parsed;

	assert_true(asprintf(&twice, "%s %s", clause->example, clause->example) > 0);
	parsed_statement(&parsed, statement, twice);
	assert_int_equal(parsed.err, -EINVAL);
	assert_non_null(strstr(parsed.messages, "expected only one \""));
	parsed_clear(&parsed);
}

static void check_clause(const struct clause *clause, enum clause_statement statement,
			 const char *text)
{
	struct parsed with, without;

	parsed_statement(&with, text, clause->example);
	parsed_valid(&without, text);
	if (clause->statements & statement) {
		if (with.err)
			fail_msg("%s %s: %s", text, clause->example, with.messages);
		check_comparisons(clause, with.ruleset.rules, without.ruleset.rules);
		check_printed(clause, text, with.ruleset.rules);
		check_twice(clause, text);
	} else {
		assert_int_equal(with.err, -EINVAL);
	}
	parsed_clear(&with);
	parsed_clear(&without);
}

static void test_clauses(void **state)
{
	(void)state;
	for (size_t i = 0; i < clause_count; i++) {
		for (size_t s = 0; s < ARRAY_SIZE(statements); s++)
			check_clause(&clause_table[i], statements[s].statement,
				     statements[s].text);
	}
}

static void compile_text(const char *text, struct image *image)
{
	struct ruleset none;
	struct parsed parsed;

	ruleset_init(&none);
	parsed_valid(&parsed, text);
	assert_int_equal(assign_lines(&parsed.ruleset, &none), 0);
	assert_int_equal(compile(&parsed.ruleset, "eth1", image, NULL), 0);
	parsed_clear(&parsed);
}

static bool images_differ(const struct image *a, const struct image *b)
{
	return memcmp(&a->table, &b->table, sizeof(a->table)) ||
	       a->detail_count != b->detail_count || a->source_count != b->source_count ||
	       (a->detail_count &&
		memcmp(a->details, b->details, a->detail_count * sizeof(*a->details)));
}

/* All clauses but labels change how packets are judged, so the compiler must know them. */
static void test_clauses_are_compiled(void **state)
{
	struct image *with = large_calloc(2, sizeof(*with)), *without = with + 1;

	(void)state;
	assert_non_null(with);
	compile_text("default drop\nallow 22", without);
	for (size_t i = 0; i < clause_count; i++) {
		const struct clause *clause = &clause_table[i];
		char text[128];

		if (!(clause->statements & IN_ALLOW))
			continue;
		snprintf(text, sizeof(text), "default drop\nallow 22 %s", clause->example);
		memset(with, 0, sizeof(*with));
		compile_text(text, with);
		if (images_differ(with, without) != (clause->role != CLAUSE_LABEL))
			fail_msg("\"%s\" changes %s", clause->word,
				 clause->role == CLAUSE_LABEL ? "the image" : "no image");
		image_clear(with);
	}
	image_clear(without);
	free(with);
}

static void test_knock_fields(void **state)
{
	(void)state;
	for (enum knock_kind kind = 0; kind < KNOCK_KINDS; kind++) {
		const struct knock_kind_info *info = &knock_kinds[kind];

		assert_non_null(info->plural);
		assert_non_null(info->help);
		assert_non_null(info->example);
		assert_non_null(info->is_same);
		assert_int_equal(!info->word, !info->arguments);
		assert_int_equal(!info->word, !info->parse);
		assert_int_equal(!info->word, !info->print);
		if (info->word)
			assert_mentioned(MANUAL, info->word);
	}
	for (size_t i = 0; i < knock_clause_count; i++) {
		const struct knock_clause *clause = &knock_clauses[i];

		assert_non_null(clause->word);
		print_message("# %s\n", clause->word);
		assert_non_null(clause->arguments);
		assert_non_null(clause->help);
		assert_non_null(clause->example);
		assert_non_null(clause->parse);
		assert_non_null(clause->print);
		assert_non_null(clause->is_given);
		assert_non_null(clause->is_same);
		assert_int_equal(!clause->needed, !clause->missing);
		assert_int_equal(clause->needed & ~clause->kinds, 0);
		assert_true(clause->kinds && clause->kinds < 1u << KNOCK_KINDS);
		assert_memory_equal(clause->example, clause->word, strlen(clause->word));
		assert_mentioned(MANUAL, clause->word);
		assert_mentioned(DICTIONARY, clause->word);
	}
}

/* A clause that the statement has already is refused; one for other kinds is, too. */
static void check_knock_clause(enum knock_kind kind, const struct knock_clause *clause)
{
	const char *base = knock_kinds[kind].example;
	struct parsed with, without;
	const struct knock *knock;

	parsed_valid(&without, base);
	parsed_statement(&with, base, clause->example);
	knock = without.ruleset.rules->knock;
	assert_int_equal(knock_kind(knock), kind);
	assert_int_equal(clause->is_given(knock), (clause->needed >> kind) & 1);
	if (clause->is_given(knock) || !((clause->kinds >> kind) & 1)) {
		assert_int_equal(with.err, -EINVAL);
	} else {
		cleanup_free char *text = rule_text(with.ruleset.rules, false);

		if (with.err)
			fail_msg("%s %s: %s", base, clause->example, with.messages);
		assert_non_null(strstr(text, clause->example));
		assert_true(clause->is_given(with.ruleset.rules->knock));
		assert_false(knock_same(with.ruleset.rules->knock, knock));
		assert_true(rule_same_match(with.ruleset.rules, without.ruleset.rules));
		assert_false(rule_same(with.ruleset.rules, without.ruleset.rules));
	}
	parsed_clear(&with);
	parsed_clear(&without);
}

/* Every clause of a knock changes the door, so the compiler must know it. */
static void check_knock_compiled(enum knock_kind kind, const struct knock_clause *clause)
{
	struct image *with = large_calloc(2, sizeof(*with)), *without = with + 1;
	cleanup_free char *text = NULL;

	assert_non_null(with);
	assert_true(asprintf(&text, "%s %s", knock_kinds[kind].example, clause->example) > 0);
	compile_text(knock_kinds[kind].example, without);
	compile_text(text, with);
	if (!images_differ(with, without))
		fail_msg("\"%s\" changes no image", clause->word);
	image_clear(with);
	image_clear(without);
	free(with);
}

static void test_knock_clauses(void **state)
{
	(void)state;
	for (enum knock_kind kind = 0; kind < KNOCK_KINDS; kind++) {
		for (size_t i = 0; i < knock_clause_count; i++) {
			unsigned int optional =
				knock_clauses[i].kinds & ~knock_clauses[i].needed;

			check_knock_clause(kind, &knock_clauses[i]);
			if (optional & (1u << kind))
				check_knock_compiled(kind, &knock_clauses[i]);
		}
	}
}

/* Of no two kinds, and of no kind with other arguments, are two knocks the same. */
static void test_knock_kinds_differ(void **state)
{
	static const char *const texts[] = {
		"knock a opens 22 for 30s after 7000/tcp 9000/udp within 10s",
		"knock a opens 23 for 30s after 7000/tcp 9000/udp within 10s",
		"knock a spa 1/udp keys /k opens 22 for 30s",
		"knock a spa 2/udp keys /k opens 22 for 30s",
		"knock a spa 1/udp keys /l opens 22 for 30s",
		"knock a totp /s steps 3 ports 20000-29999 opens 22 for 30s within 10s",
		"knock a totp /t steps 3 ports 20000-29999 opens 22 for 30s within 10s",
		"knock a totp /s steps 4 ports 20000-29999 opens 22 for 30s within 10s",
		"knock a totp /s steps 3 ports 20000-29999/tcp opens 22 for 30s within 10s",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(texts); j++) {
			struct parsed a, b;

			parsed_valid(&a, texts[i]);
			parsed_valid(&b, texts[j]);
			assert_int_equal(rule_same(a.ruleset.rules, b.ruleset.rules), i == j);
			parsed_clear(&a);
			parsed_clear(&b);
		}
	}
}

/* Each option changes the entries of its own keys, and no others. */
static void check_option(enum rule_option option)
{
	const struct option_info *info = &option_table[option];
	struct image *on = large_calloc(2, sizeof(*on)), *off = on + 1;
	char text[64];

	assert_non_null(on);
	snprintf(text, sizeof(text), "option %s %s", info->name, info->pass);
	compile_text(text, on);
	snprintf(text, sizeof(text), "option %s %s", info->name, info->drop);
	compile_text(text, off);
	for (__u32 key = 0; key < KEYS_USED; key++) {
		bool own = key && (key == info->keys[0].key || key == info->keys[1].key);

		if ((on->table.entries[key] != off->table.entries[key]) != own)
			fail_msg("option %s, key %u", info->name, key);
	}
	image_clear(on);
	image_clear(off);
	free(on);
}

static void test_options(void **state)
{
	(void)state;
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		const struct option_info *info = &option_table[option];

		assert_non_null(info->name);
		print_message("# %s\n", info->name);
		assert_non_null(info->pass);
		assert_non_null(info->drop);
		assert_non_null(info->help);
		assert_true(info->initial == VERDICT_PASS || info->initial == VERDICT_DROP);
		assert_true(info->keys[0].key);
		assert_int_equal(option_of_line(info->line), option);
		assert_int_equal(!info->rate, !info->limited_line);
		assert_documented(info->name);
		assert_mentioned(DICTIONARY, info->name);
		if (info->lifeline) {
			assert_non_null(info->reason);
			assert_string_equal(line_name(info->line), info->name);
		}
		check_option(option);
	}
}

/* The terms of a table, one after the other. */
static void collect_term(const char *term, const char *text, void *data)
{
	assert_true(*text);
	strcat(data, term);
	strcat(data, "; ");
}

/* Fails unless the next of the terms is the word with its arguments. */
static void expect_term(const char **terms, const char *word, const char *arguments)
{
	char term[DESCRIBED_TERM + 2];
	int length = snprintf(term, sizeof(term), "%s %s; ", word, arguments);

	assert_memory_equal(*terms, term, length);
	*terms += length;
}

static void expect_clauses(const char **terms, enum clause_statement statement)
{
	for (size_t i = 0; i < clause_count; i++) {
		if (clause_table[i].statements & statement)
			expect_term(terms, clause_table[i].word, clause_table[i].arguments);
	}
	assert_string_equal(*terms, "");
}

static void test_descriptions(void **state)
{
	char text[1024] = "";
	const char *terms = text;

	(void)state;
	clauses_describe(IN_DROP, collect_term, text);
	expect_clauses(&terms, IN_DROP);
	*text = 0;
	terms = text;
	knock_describe_kinds(collect_term, text);
	assert_string_equal(text, "spa PORT/udp keys FILE; totp FILE steps N ports RANGE; ");
	*text = 0;
	knock_describe_clauses(collect_term, text);
	for (size_t i = 0; i < knock_clause_count; i++)
		expect_term(&terms, knock_clauses[i].word, knock_clauses[i].arguments);
	expect_clauses(&terms, IN_KNOCK);
	*text = 0;
	terms = text;
	options_describe(true, collect_term, text);
	expect_term(&terms, "icmp-errors", "on|off");
	expect_term(&terms, "neighbours", "on|off");
}

static void test_statements(void **state)
{
	const char *word;

	(void)state;
	for (size_t i = 0; (word = statement_word(i)); i++) {
		assert_mentioned(MANUAL, word);
		assert_mentioned(DICTIONARY, word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clause_fields),
		cmocka_unit_test(test_clauses),
		cmocka_unit_test(test_clauses_are_compiled),
		cmocka_unit_test(test_knock_fields),
		cmocka_unit_test(test_knock_clauses),
		cmocka_unit_test(test_knock_kinds_differ),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_descriptions),
		cmocka_unit_test(test_statements),
	};

	return run_suite("tables", tests);
}
