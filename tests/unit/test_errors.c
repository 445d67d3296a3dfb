// SPDX-License-Identifier: GPL-2.0-only
/* Error messages of the parser, word for word. */
#include "unit.h"

#include <errno.h>

#include "base/file.h"
#include "rules/ruleset_clauses.h"

#define GOLDEN "tests/golden/ruleset-errors"

/* Counts the lines of a text that are neither empty nor a comment. */
static unsigned int count_statements(const char *text)
{
	unsigned int count = 0;

	for (; *text; text += strcspn(text, "\n") + 1)
		count += *text != '\n' && *text != '#';
	return count;
}

/*
 * Replaces the list of an allow rule's clauses by "CLAUSES", so that the golden file stays the
 * same when there is another clause. Other tests compare the list word for word.
 */
static void replace_clauses(char *messages)
{
	struct word_list words = { 0 };
	char list[256] = "";
	size_t length;

	clauses_list(IN_ALLOW, &words);
	for (size_t i = 0; i < words.count; i++) {
		strcat(list, i ? ", " : "");
		strcat(list, words.words[i]);
	}
	length = strlen(list);
	for (char *at = strstr(messages, list); at; at = strstr(at, list)) {
		memcpy(at, "CLAUSES", strlen("CLAUSES"));
		memmove(at + strlen("CLAUSES"), at + length, strlen(at + length) + 1);
	}
}

/* All errors in one text: the parser goes on after each. */
static void test_golden_errors(void **state)
{
	cleanup_free char *text = NULL, *expected = NULL;
	struct parsed parsed;
	size_t size;

	(void)state;
	assert_int_equal(file_read(GOLDEN ".rules", &text, &size), 0);
	assert_int_equal(file_read(GOLDEN ".report", &expected, &size), 0);
	parsed_text(&parsed, text);
	replace_clauses(parsed.messages);
	assert_lines_equal(parsed.messages, expected);
	assert_int_equal(parsed.err, -EINVAL);
	assert_int_equal(parsed.report.errors, count_statements(text));
	assert_int_equal(parsed.report.warnings, 0);
	assert_int_equal(parsed.ruleset.count, 0);
	parsed_clear(&parsed);
}

#define UTF8 "expected UTF-8 text without control characters\n"
#define PORT "expected a port, a range, or the name of a service or IP protocol\n"

/* Bytes that an editor would not show, or would not keep in a file. */
static const struct {
	const char *text;
	const char *messages;
} cases[] = {
	/* control characters and invalid UTF-8 in a comment */
	{ "allow 22 comment \"a\001b\"", "F:1:18: found \"a?b\", " UTF8 },
	{ "allow 22 comment \"a\tb\"", "F:1:18: found \"a?b\", " UTF8 },
	{ "allow 22 comment \"a\\\tb\"", "F:1:18: found \"a\\?b\", " UTF8 },
	{ "allow 22 comment \"\x1b[31m\"", "F:1:18: found \"?[31m\", " UTF8 },
	{ "allow 22 comment \"\x7f\"", "F:1:18: found \"?\", " UTF8 },
	{ "allow 22 comment \x7f", "F:1:18: found \"?\", " UTF8 },
	{ "allow 22 comment \"\r\"", "F:1:18: found \"?\", " UTF8 },
	{ "allow 22 comment \"\xff\"", "F:1:18: found \"?\", " UTF8 },
	{ "allow 22 comment \"\xc3\"", "F:1:18: found \"?\", " UTF8 },
	{ "allow 22 comment \"\xc3\\\xa4\"\nx", /* without the backslash an a-umlaut: valid */
	  "F:2:1: found \"x\", expected allow, drop, reject, knock, default or option\n" },
	{ "allow 22 comment \"\xa4\"", "F:1:18: found \"?\", " UTF8 },
	{ "allow 22 comment \"\xc0\x80\"", "F:1:18: found \"??\", " UTF8 },
	{ "allow 22 comment \"\xed\xa0\x80\"", "F:1:18: found \"???\", " UTF8 },
	{ "allow 22 comment \"\xf4\x90\x80\x80\"", "F:1:18: found \"????\", " UTF8 },
	/* elsewhere: printed as question marks */
	{ "\x1b[2Jallow 22",
	  "F:1:1: found \"?[2Jallow\", expected allow, drop, reject, knock, default or option\n" },
	{ "\xef\xbb\xbfport 22",
	  "F:1:1: found \"???port\", expected allow, drop, reject, knock, default or option\n" },
	{ "allow 22\x07", "F:1:7: found \"22?\", " PORT },
	{ "allow s\xc3\xa4h", "F:1:7: found \"s??h\", " PORT },
	{ "allow 22/\x1b", "F:1:7: found \"22/?\", expected tcp or udp after the slash\n" },
	{ "knock k spa 1/udp keys /\x1b[2J opens 22", "F:1:24: found \"/?[2J\", " UTF8 },
	{ "knock k totp /\xff steps 3", "F:1:14: found \"/?\", " UTF8 },
	/* line endings */
	{ "allow\r\n", "F:1:7: the line ends, " PORT },
	{ "\n\r\n  allow 22 x\r\n", "F:3:12: found \"x\", " PORT },
	{ "allow 22\rallow 23", "F:1:10: found \"allow\", " PORT },
	{ "allow 22 comment \"open\r\n",
	  "F:1:18: found \"open?\", expected a closing quote\n" },
	{ "allow 22 comment \"open\\", "F:1:18: found \"open\\\", expected a closing quote\n" },
	{ "allow 22 comment \"open\\\nallow 23\"",
	  "F:1:18: found \"open\\\", expected a closing quote\n"
	  "F:2:9: found \"\", expected a closing quote\n" },
	/* columns count bytes */
	{ "\t\tdrop\t80x", "F:1:8: found \"80x\", " PORT },
	{ "allow 22 comment \"\xc3\xa4\" on a/b",
	  "F:1:26: found \"a/b\", expected the name of an interface, at most 15 characters\n" },
};

static void test_control_characters_and_bad_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed parsed;

		parsed_text(&parsed, cases[i].text);
		assert_string_equal(parsed.messages, cases[i].messages);
		assert_int_equal(parsed.err, -EINVAL);
		parsed_clear(&parsed);
	}
}

/* Settings that contradict an earlier line, and words after a setting. */
static const struct {
	const char *text;
	const char *messages;
} settings[] = {
	{ "default drop\ndefault allow",
	  "F:2:9: found \"allow\", but line 1 sets another value\n" },
	{ "default allow\n\n default drop",
	  "F:3:10: found \"drop\", but line 1 sets another value\n" },
	{ "default drop\ndefault drop\ndefault allow",
	  "F:3:9: found \"allow\", but line 2 sets another value\n" },
	{ "option fragments drop\noption fragments pass",
	  "F:2:18: found \"pass\", but line 1 sets another value\n" },
	{ "option fragments pass\noption fragments drop",
	  "F:2:18: found \"drop\", but line 1 sets another value\n" },
	{ "default drop 22", "F:1:14: found \"22\", expected the end of the line\n" },
	{ "default drop,", "F:1:13: found \",\", expected the end of the line\n" },
	{ "default drop \"\"", "F:1:14: found \"\", expected the end of the line\n" },
	{ "default drop drop", "F:1:14: found \"drop\", expected the end of the line\n" },
	{ "default drop comment \"c\"",
	  "F:1:14: found \"comment\", expected the end of the line\n" },
	{ "option fragments drop on eth0",
	  "F:1:23: found \"on\", expected the end of the line\n" },
	{ "default drop \"open", "F:1:14: found \"open\", expected a closing quote\n" },
	{ "default \"open", "F:1:9: found \"open\", expected a closing quote\n" },
	{ "option \"open", "F:1:8: found \"open\", expected a closing quote\n" },
	{ "option fragments \"open", "F:1:18: found \"open\", expected a closing quote\n" },
	{ "\"open", "F:1:1: found \"open\", expected a closing quote\n" },
	{ "allow \"open", "F:1:7: found \"open\", expected a closing quote\n" },
	{ "allow 22 \"open", "F:1:10: found \"open\", expected a closing quote\n" },
	{ "allow 22, \"open", "F:1:11: found \"open\", expected a closing quote\n" },
	{ "allow 22 on a\x1b[m",
	  "F:1:13: found \"a?[m\", expected the name of an interface, at most 15 characters\n" },
	{ "allow 22 on \"open", "F:1:13: found \"open\", expected a closing quote\n" },
	{ "allow 22 on eth0 \"open", "F:1:18: found \"open\", expected a closing quote\n" },
};

static void test_settings_contradicted_or_followed_by_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		struct parsed parsed;

		parsed_text(&parsed, settings[i].text);
		assert_string_equal(parsed.messages, settings[i].messages);
		assert_int_equal(parsed.err, -EINVAL);
		assert_int_equal(parsed.report.errors, 1);
		parsed_clear(&parsed);
	}
}

/* After a comma a port is expected, also where a clause would fit. */
static void test_comma_wants_a_port(void **state)
{
	static const char *const words[] = { "on", "comment", "limit", "from" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char text[64], message[128];
		struct parsed parsed;

		snprintf(text, sizeof(text), "allow 22, %s eth0", words[i]);
		snprintf(message, sizeof(message),
			 "F:1:11: found \"%s\", expected a port after the comma\n", words[i]);
		parsed_text(&parsed, text);
		assert_string_equal(parsed.messages, message);
		parsed_clear(&parsed);
	}
}

/* An interface name with control characters or invalid UTF-8 is refused, and not printed. */
static void test_unprintable_interface_is_refused(void **state)
{
	static const char *const names[] = { "\x1b[31m", "e\x01", "\x7f", "\xff", "e\xc3" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct parsed parsed;
		char text[64];

		snprintf(text, sizeof(text), "allow 22 on %s", names[i]);
		parsed_text(&parsed, text);
		assert_int_equal(parsed.err, -EINVAL);
		assert_int_equal(parsed.report.errors, 1);
		assert_null(strstr(parsed.messages, names[i]));
		parsed_clear(&parsed);
	}
}

/* The C1 control characters, U+0080 to U+009F: U+009B is the same as ESC [ to a terminal. */
static void test_c1_controls_in_comment_are_refused(void **state)
{
	static const char *const comments[] = { "\xc2\x80", "\xc2\x9b[m", "a\xc2\x9f" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(comments); i++) {
		struct parsed parsed;
		char text[64];

		snprintf(text, sizeof(text), "allow 22 comment \"%s\"", comments[i]);
		parsed_text(&parsed, text);
		assert_int_equal(parsed.err, -EINVAL);
		assert_non_null(strstr(parsed.messages, UTF8));
		parsed_clear(&parsed);
	}
}

/* Characters beside the control characters, or with a byte in common with them, are allowed. */
static void test_near_controls_in_comment_are_allowed(void **state)
{
	static const char *const comments[] = { " ", "~", "\xc2\xa0", "\xc4\x9b",
						"\xe2\x80\x93" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(comments); i++) {
		struct parsed parsed;
		char text[64];

		snprintf(text, sizeof(text), "allow 22 comment \"%s\"", comments[i]);
		parsed_valid(&parsed, text);
		assert_string_equal(parsed.ruleset.rules->comment, comments[i]);
		parsed_clear(&parsed);
	}
}

/* A message quotes only the beginning of a long word. */
static void test_long_words_are_cut_in_messages(void **state)
{
	static const char *const befores[] = { "",
					       "allow ",
					       "allow 1 on ",
					       "allow 1 comment ",
					       "default ",
					       "option fragments ",
					       "allow 1/" };
	cleanup_free char *text = malloc(10100);
	char shown[65];

	(void)state;
	memset(shown, 'w', sizeof(shown));
	for (size_t i = 0; i < ARRAY_SIZE(befores); i++) {
		size_t before = strlen(befores[i]), skip = i == 6 ? 2 : 0;
		struct parsed parsed;
		char found[128];

		strcpy(text, befores[i]);
		memset(text + before, 'w', 10000);
		text[before + 10000] = 0;
		snprintf(found, sizeof(found), "F:1:%zu: found \"%.*s%.*s\", expected ",
			 before - skip + 1, (int)skip, "1/", (int)(64 - skip), shown);
		parsed_text(&parsed, text);
		assert_int_equal(strncmp(parsed.messages, found, strlen(found)), 0);
		parsed_clear(&parsed);
	}
}

static void test_too_long_comment(void **state)
{
	char text[512] = "allow 1 comment \"";
	struct parsed parsed;

	(void)state;
	memset(text + 17, 'c', 256);
	strcpy(text + 17 + 256, "\"");
	parsed_text(&parsed, text);
	assert_int_equal(parsed.err, -EINVAL);
	assert_non_null(strstr(parsed.messages, "F:1:17: found \"cccc"));
	assert_non_null(strstr(parsed.messages, "c\", expected at most 255 bytes\n"));
	parsed_clear(&parsed);
}

/* The valid lines beside wrong ones are parsed, and keep their rows. */
static void test_valid_lines_beside_wrong_ones(void **state)
{
	struct parsed parsed;

	(void)state;
	parsed_text(&parsed, "allow 1\nallow x1\r\n\n# drop\nallow 2\nallow x2\ndefault drop");
	assert_string_equal(parsed.messages,
			    "F:2:7: found \"x1\", " PORT "F:6:7: found \"x2\", " PORT);
	assert_int_equal(parsed.err, -EINVAL);
	assert_int_equal(parsed.report.errors, 2);
	assert_int_equal(parsed.ruleset.count, 2);
	assert_int_equal(parsed.ruleset.rules[1].row, 5);
	assert_int_equal(parsed.ruleset.fallback, VERDICT_DROP);
	parsed_clear(&parsed);
}

/* One rule more than MAX_RULES. */
static void test_too_many_rules(void **state)
{
	cleanup_free char *text = NULL;
	struct parsed parsed;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < MAX_RULES; i++)
		fprintf(out, "allow %d\n", i);
	fflush(out);
	parsed_valid(&parsed, text);
	parsed_clear(&parsed);

	fputs("\n  drop 1-2\ndrop 3-4\n", out);
	fclose(out);
	parsed_text(&parsed, text);
	assert_int_equal(parsed.err, -ENOSPC);
	assert_string_equal(parsed.messages,
			    "F:65538:3: found \"drop\", expected at most 65536 rules\n");
	assert_int_equal(parsed.ruleset.count, MAX_RULES);
	parsed_clear(&parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_errors),
		cmocka_unit_test(test_control_characters_and_bad_utf8),
		cmocka_unit_test(test_settings_contradicted_or_followed_by_words),
		cmocka_unit_test(test_comma_wants_a_port),
		cmocka_unit_test(test_unprintable_interface_is_refused),
		cmocka_unit_test(test_c1_controls_in_comment_are_refused),
		cmocka_unit_test(test_near_controls_in_comment_are_allowed),
		cmocka_unit_test(test_long_words_are_cut_in_messages),
		cmocka_unit_test(test_too_long_comment),
		cmocka_unit_test(test_valid_lines_beside_wrong_ones),
		cmocka_unit_test(test_too_many_rules),
	};

	return run_suite("errors", tests);
}
