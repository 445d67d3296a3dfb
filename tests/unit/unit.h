/* SPDX-License-Identifier: GPL-2.0-only */
/* Helpers of all unit tests: cmocka, parsing a text into a ruleset, and printing a ruleset. */
#ifndef UNIT_H
#define UNIT_H

/* cmocka.h requires these four headers before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/ruleset.h"
#include "rules/ruleset_parse.h"

/*
 * Runs a group of tests and returns whether any failed. cmocka's TAP output ends without a
 * newline, so whatever is printed next would become part of its last comment.
 */
#define run_suite(name, tests)                                                                 \
	({                                                                                     \
		int failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);             \
		putchar('\n');                                                                 \
		!!failed;                                                                      \
	})

/* A parsed text: the ruleset, the parser's return value and its messages. */
struct parsed {
	struct ruleset ruleset;
	struct report report;
	int err;
	char *messages;
	size_t messages_size;
};

/* The report's file is called "F", so a message begins with "F:LINE:COLUMN: ". */
static inline void parsed_init(struct parsed *parsed)
{
	*parsed = (struct parsed){ .report = { .file = "F" } };
	ruleset_init(&parsed->ruleset);
	parsed->report.out = open_memstream(&parsed->messages, &parsed->messages_size);
	assert_non_null(parsed->report.out);
}

static inline void parsed_clear(struct parsed *parsed)
{
	fclose(parsed->report.out);
	free(parsed->messages);
	ruleset_clear(&parsed->ruleset);
}

/* Parses another text into the same ruleset. */
static inline void parsed_add(struct parsed *parsed, const char *text)
{
	parsed->err = ruleset_parse(&parsed->ruleset, text, &parsed->report);
	assert_int_equal(fflush(parsed->report.out), 0);
}

static inline void parsed_text(struct parsed *parsed, const char *text)
{
	parsed_init(parsed);
	parsed_add(parsed, text);
}

/* Parses a text that must be valid, and fails the test otherwise. */
static inline void parsed_valid(struct parsed *parsed, const char *text)
{
	parsed_text(parsed, text);
	if (parsed->err || parsed->messages_size)
		fail_msg("refused (%d): %s\n%s", parsed->err, text, parsed->messages);
}

/* Returns the ruleset as text; the caller frees it. */
static inline char *printed(const struct ruleset *ruleset)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	ruleset_print(ruleset, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Compares line by line, so that a failure shows one line and not hundreds. */
static inline void assert_lines_equal(const char *got, const char *expected)
{
	for (int line = 1; *got || *expected; line++) {
		int got_length = strcspn(got, "\n");
		int expected_length = strcspn(expected, "\n");

		if (got_length != expected_length || memcmp(got, expected, got_length))
			fail_msg("line %d: got\n%.*s\nexpected\n%.*s", line, got_length, got,
				 expected_length, expected);
		got += got_length + !!got[got_length];
		expected += expected_length + !!expected[expected_length];
	}
}

#endif
