// SPDX-License-Identifier: GPL-2.0-only
/* Valid rules: the parsed fields, and that parsing what was printed prints the same again. */
#include "unit.h"

#include <errno.h>

#include "base/file.h"
#include "cli/words.h"
#include "random.h"

#define GOLDEN "tests/golden/ruleset-forms"

/*
 * Parses and prints `text`, then parses and prints the result, which must not change. Returns
 * the printed text; the caller frees it.
 */
static char *print_twice(const char *text)
{
	struct parsed parsed, again;
	char *first, *second;

	parsed_valid(&parsed, text);
	first = printed(&parsed.ruleset);
	parsed_valid(&again, first);
	second = printed(&again.ruleset);
	if (strcmp(first, second))
		fail_msg("printed\n%s\nand again\n%s", first, second);
	assert_int_equal(parsed.ruleset.count, again.ruleset.count);
	free(second);
	parsed_clear(&parsed);
	parsed_clear(&again);
	return first;
}

static void test_golden_forms(void **state)
{
	cleanup_free char *text = NULL, *expected = NULL, *got = NULL;
	size_t size;

	(void)state;
	assert_int_equal(file_read(GOLDEN ".rules", &text, &size), 0);
	assert_int_equal(file_read(GOLDEN ".printed", &expected, &size), 0);
	got = print_twice(text);
	assert_lines_equal(got, expected);
}

#define ALLOW "default allow\n"

/* Line endings and blanks that an editor might change, and settings. */
static const struct {
	const char *text;
	const char *printed;
} forms[] = {
	{ "", ALLOW },
	{ "\n", ALLOW },
	{ "#", ALLOW },
	{ "# allow 22", ALLOW },
	{ " \t\r\v\f\n\t", ALLOW },
	{ "allow 22", ALLOW "allow 22\n" },
	{ "allow 22\r\ndrop 23\r\n", ALLOW "allow 22\ndrop 23\n" },
	{ "allow 22\r", ALLOW "allow 22\n" },
	{ "\r\nallow 22 comment \"c\"\r\n", ALLOW "allow 22 comment \"c\"\n" },
	{ "allow 22 comment c\r\n", ALLOW "allow 22 comment \"c\"\n" },
	{ "allow 22 on eth0\r\n", ALLOW "allow 22 on eth0\n" },
	{ "allow 22 on \u00fc0", ALLOW "allow 22 on \u00fc0\n" },
	{ "allow 22#c\r\n", ALLOW "allow 22\n" },
	{ "\tallow\t22\t,\t23\t", ALLOW "allow 22 23\n" },
	{ "allow 22,23 ,24, 25 , 26 27", ALLOW "allow 22 23 24 25 26 27\n" },
	{ "default allow", ALLOW },
	{ "default drop", "default drop\n" },
	{ "default drop\r\n", "default drop\n" },
	{ "allow 1\ndefault drop", "default drop\nallow 1\n" },
	{ "default allow\ndefault allow", ALLOW },
	{ "option fragments pass", ALLOW },
	{ "option fragments drop", ALLOW "option fragments drop\n" },
	{ "option fragments drop#\noption fragments drop", ALLOW "option fragments drop\n" },
	{ "default drop\noption fragments pass", "default drop\n" },
};

static void test_line_endings_and_settings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		cleanup_free char *got = print_twice(forms[i].text);

		assert_string_equal(got, forms[i].printed);
	}
}

static void test_parsed_fields(void **state)
{
	struct parsed parsed;
	const struct rule *rule;

	(void)state;
	parsed_valid(&parsed, "\ndrop 6000-6100/udp gre on eth0 comment \"c\"\nallow 0\n");
	assert_int_equal(parsed.ruleset.count, 2);
	rule = &parsed.ruleset.rules[0];
	assert_int_equal(rule->action, VERDICT_DROP);
	assert_int_equal(rule->row, 2);
	assert_int_equal(rule->term_count, 2);
	assert_int_equal(rule->terms[0].transports, TRANSPORT_UDP);
	assert_int_equal(rule->terms[0].first, 6000);
	assert_int_equal(rule->terms[0].last, 6100);
	assert_int_equal(rule->terms[1].transports, 0);
	assert_int_equal(rule->terms[1].protocol, 47);
	assert_string_equal(rule->iface, "eth0");
	assert_string_equal(rule->comment, "c");
	rule++;
	assert_int_equal(rule->action, VERDICT_PASS);
	assert_int_equal(rule->row, 3);
	assert_int_equal(rule->terms->transports, TRANSPORT_BOTH);
	assert_string_equal(rule->iface, "");
	assert_null(rule->comment);
	parsed_clear(&parsed);
}

static void test_parsed_settings(void **state)
{
	struct parsed parsed;

	(void)state;
	parsed_valid(&parsed, "");
	assert_int_equal(parsed.ruleset.fallback, VERDICT_PASS);
	assert_int_equal(parsed.ruleset.fallback_row, 0);
	assert_int_equal(parsed.ruleset.options[OPTION_FRAGMENTS], VERDICT_PASS);
	assert_int_equal(parsed.ruleset.option_rows[OPTION_FRAGMENTS], 0);
	parsed_clear(&parsed);

	parsed_valid(&parsed, "\ndefault drop\noption fragments drop");
	assert_int_equal(parsed.ruleset.fallback, VERDICT_DROP);
	assert_int_equal(parsed.ruleset.fallback_row, 2);
	assert_int_equal(parsed.ruleset.options[OPTION_FRAGMENTS], VERDICT_DROP);
	assert_int_equal(parsed.ruleset.option_rows[OPTION_FRAGMENTS], 3);
	parsed_clear(&parsed);
}

/* Parsing adds to the rules that the ruleset already has. */
static void test_parsing_adds_to_a_ruleset(void **state)
{
	cleanup_free char *text = NULL;
	struct parsed parsed;

	(void)state;
	parsed_valid(&parsed, "allow 1\ndefault drop");
	parsed_add(&parsed, "allow 2\noption fragments drop");
	assert_int_equal(parsed.err, 0);
	text = printed(&parsed.ruleset);
	assert_string_equal(text, "default drop\noption fragments drop\nallow 1\nallow 2\n");
	parsed_clear(&parsed);
}

/* The longest interface name and the longest comment. */
static void test_longest_comment_and_interface(void **state)
{
	cleanup_free char *text = NULL, *got = NULL;
	char comment[256];

	(void)state;
	memset(comment, 'c', sizeof(comment));
	comment[255] = 0;
	assert_true(asprintf(&text, "allow 1 on 123456789012345 comment \"%s\"", comment) > 0);
	got = print_twice(text);
	assert_non_null(strstr(got, comment));
	assert_non_null(strstr(got, " on 123456789012345 "));
}

/*
 * The limit is on the comment itself, without the escapes it is printed with. The running
 * rules are stored as printed, so the longer spelling must be accepted too.
 */
static void test_long_comment_with_escapes(void **state)
{
	cleanup_free char *text = NULL, *got = NULL;
	char comment[201];

	(void)state;
	memset(comment, '\\', sizeof(comment));
	comment[200] = 0;
	assert_true(asprintf(&text, "allow 1 comment %s", comment) > 0);
	got = print_twice(text);
	assert_non_null(strstr(got, comment));
}

static void test_many_ports_in_one_rule(void **state)
{
	cleanup_free char *text = NULL, *got = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs("allow", out);
	for (int port = 3000; port-- > 0;)
		fprintf(out, " %d,%d", port, port);
	fclose(out);
	got = print_twice(text);
	assert_memory_equal(got, "default allow\nallow 0 1 2 3 ", 28);
	assert_string_equal(strstr(got, " 2998 "), " 2998 2999\n");
}

/* Protocols print as numbers, which cannot be taken for a service's name. */
static void test_protocols_print_as_numbers(void **state)
{
	(void)state;
	for (int number = 0; number < 256; number++) {
		struct term terms[2], term = { .protocol = number };
		const char *expected;
		char text[64] = "", number_text[64];
		FILE *out = fmemopen(text, sizeof(text), "w");

		if (number == 6 || number == 17) {
			fclose(out);
			continue;
		}
		term_print(&term, out);
		fclose(out);
		snprintf(number_text, sizeof(number_text), "%d/ip", number);
		assert_string_equal(text, number_text);
		if (term_parse(text, strlen(text), terms, &expected) != 1 ||
		    terms->transports || terms->protocol != number)
			fail_msg("protocol %d prints as %s, which is another term", number,
				 text);
	}
}

static const struct {
	const char *a;
	const char *b;
	bool a_covers;
	bool b_covers;
} matches[] = {
	{ "allow 22", "drop 22", true, true },
	{ "allow 22 comment \"a\"", "allow 22", true, true },
	{ "allow 22 23", "allow 23 22", true, true },
	{ "allow 22 23", "allow 22", true, false },
	{ "allow 22", "allow 23", false, false },
	{ "allow 22", "allow 22/tcp", false, false },
	{ "allow 22/udp", "allow 22/tcp", false, false },
	{ "allow 22-23", "allow 22", false, false },
	{ "allow 22-23", "allow 22-24", false, false },
	{ "allow 22-24", "allow 23-24", false, false },
	{ "allow 22", "allow 22 on eth0", false, false },
	{ "allow 22 on eth1", "allow 22 on eth0", false, false },
	{ "allow 22 on eth0", "drop 22 on eth0", true, true },
	{ "allow gre", "allow gre", true, true },
	{ "allow gre", "allow esp", false, false },
	{ "allow 1-3 5", "allow 5 6", false, false },
};

static void test_covers_and_same_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		bool same = matches[i].a_covers && matches[i].b_covers;
		struct parsed a, b;

		parsed_valid(&a, matches[i].a);
		parsed_valid(&b, matches[i].b);
		if (rule_covers(a.ruleset.rules, b.ruleset.rules) != matches[i].a_covers ||
		    rule_covers(b.ruleset.rules, a.ruleset.rules) != matches[i].b_covers ||
		    rule_same_match(a.ruleset.rules, b.ruleset.rules) != same)
			fail_msg("%s | %s", matches[i].a, matches[i].b);
		parsed_clear(&a);
		parsed_clear(&b);
	}
}

static void test_remove_rules(void **state)
{
	cleanup_free char *text = NULL;
	struct parsed parsed;

	(void)state;
	parsed_valid(&parsed, "allow 1\nallow 2 comment c\nallow 3\nallow 4");
	ruleset_remove(&parsed.ruleset, 3);
	ruleset_remove(&parsed.ruleset, 1);
	text = printed(&parsed.ruleset);
	assert_string_equal(text, ALLOW "allow 1\nallow 3\n");
	ruleset_remove(&parsed.ruleset, 0);
	ruleset_remove(&parsed.ruleset, 0);
	assert_int_equal(parsed.ruleset.count, 0);
	parsed_clear(&parsed);
}

/* ruleset_add() takes over the rule's memory, except if the ruleset is full. */
static void test_add_takes_over_memory(void **state)
{
	struct ruleset ruleset;
	struct rule rule = { 0 };

	(void)state;
	ruleset_init(&ruleset);
	for (int i = 0; i < MAX_RULES; i++) {
		rule = (struct rule){ .action = VERDICT_DROP, .comment = strdup("c") };
		assert_int_equal(ruleset_add(&ruleset, &rule), 0);
		assert_null(rule.comment);
	}
	rule.comment = strdup("kept");
	assert_int_equal(ruleset_add(&ruleset, &rule), -ENOSPC);
	assert_string_equal(rule.comment, "kept");
	assert_int_equal(ruleset.count, MAX_RULES);
	rule_clear(&rule);
	assert_null(rule.comment);
	ruleset_clear(&ruleset);
	assert_int_equal(ruleset.count, 0);
	assert_null(ruleset.rules);
}

static void test_text_of_rule(void **state)
{
	cleanup_free char *with = NULL, *without = NULL;
	struct parsed parsed;

	(void)state;
	parsed_valid(&parsed, "drop ssh gre on eth0 comment \"a \\\"b\\\"\"");
	with = rule_text(parsed.ruleset.rules, true);
	without = rule_text(parsed.ruleset.rules, false);
	assert_string_equal(with, "drop 22/tcp 47/ip on eth0 comment \"a \\\"b\\\"\"");
	assert_string_equal(without, "drop 22/tcp 47/ip on eth0");
	parsed_clear(&parsed);
}

/* Arguments of the command line: the one after "comment" may contain anything. */
static const struct {
	char *words[12];
	const char *text;
} lines[] = {
	{ { "allow", "22", "comment", "two words" }, "allow 22 comment \"two words\"" },
	{ { "allow", "22", "comment", "\"\\" }, "allow 22 comment \"\\\"\\\\\"" },
	{ { "allow", "22", "on", "comment", "comment", "hi" },
	  "allow 22 on comment comment \"hi\"" },
	{ { "allow", "22", "on", "on", "comment", "on" }, "allow 22 on on comment \"on\"" },
	{ { "allow", "22", "comment", "comment", "for", "1h" },
	  "allow 22 for 1h comment \"comment\"" },
	{ { "allow", "22", "comment", "on", "comment", "x" }, NULL },
	{ { "knock", "comment", "opens", "22/tcp", "for", "1s", "after", "1/tcp", "within",
	    "1s" },
	  "knock comment opens 22/tcp for 1s after 1/tcp within 1s" },
};

static void test_arguments_of_command_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char **words = (char **)lines[i].words;
		struct ruleset ruleset;
		int count = 0;

		while (words[count])
			count++;
		ruleset_init(&ruleset);
		if (words_parse(words[0], count - 1, words + 1, &ruleset)) {
			assert_null(lines[i].text);
		} else {
			cleanup_free char *text = rule_text(ruleset.rules, true);

			assert_string_equal(text, lines[i].text);
		}
		ruleset_clear(&ruleset);
	}
}

/* Expired rules get no number, and ruleset_drop_ended() removes them. */
static void test_expired_rules_are_removed(void **state)
{
	static const __u64 ends[] = { 5, 0, 6, 4 };
	struct parsed parsed;
	struct rule *rules;
	char *text;

	(void)state;
	parsed_valid(&parsed, "allow 1\nallow 2\nallow 3\nallow 4");
	rules = parsed.ruleset.rules;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		rules[i].ends = ends[i];
	ruleset_number(&parsed.ruleset, 5);
	assert_int_equal(rules[0].row, 0);
	assert_int_equal(rules[1].row, 1);
	assert_int_equal(rules[2].row, 2);
	assert_int_equal(rules[3].row, 0);
	ruleset_drop_ended(&parsed.ruleset, 5);
	text = printed(&parsed.ruleset);
	assert_string_equal(text, ALLOW "allow 2\nallow 3\n");
	free(text);
	parsed_clear(&parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_forms),
		cmocka_unit_test(test_line_endings_and_settings),
		cmocka_unit_test(test_parsed_fields),
		cmocka_unit_test(test_parsed_settings),
		cmocka_unit_test(test_parsing_adds_to_a_ruleset),
		cmocka_unit_test(test_longest_comment_and_interface),
		cmocka_unit_test(test_long_comment_with_escapes),
		cmocka_unit_test(test_many_ports_in_one_rule),
		cmocka_unit_test(test_protocols_print_as_numbers),
		cmocka_unit_test(test_covers_and_same_match),
		cmocka_unit_test(test_remove_rules),
		cmocka_unit_test(test_add_takes_over_memory),
		cmocka_unit_test(test_text_of_rule),
		cmocka_unit_test(test_arguments_of_command_line),
		cmocka_unit_test(test_expired_rules_are_removed),
	};

	return run_suite("ruleset", tests);
}
