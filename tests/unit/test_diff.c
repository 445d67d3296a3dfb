// SPDX-License-Identifier: GPL-2.0-only
/* ruleset_diff(): what has to be said and unsaid. */
#include "unit.h"

#include "command.h"
#include "random.h"

static const struct {
	const char *from;
	const char *to;
	const char *differences; /* as `diff` prints them */
} cases[] = {
	{ "", "", "" },
	{ "allow 1", "allow 1", "" },
	{ "", "default allow\noption fragments pass", "" },
	{ "", "allow 1", "+ allow 1\n" },
	{ "allow 1", "", "- allow 1\n" },
	{ "allow 1", "drop 1", "- allow 1\n+ drop 1\n" },
	{ "allow 1\ndrop 2", "drop 2\nallow 1", "" },
	{ "allow 1\nallow 2\nallow 3", "allow 3\nallow 4\nallow 1", "- allow 2\n+ allow 4\n" },
	{ "default drop", "default allow", "+ default allow\n- default drop\n" },
	{ "default drop\noption fragments drop", "default drop", "- option fragments drop\n" },
	{ "", "option fragments drop", "+ option fragments drop\n" },
	/* the same in other words */
	{ "allow ssh", "allow 22/tcp", "" },
	{ "allow 2, 1 2", "allow 1 2", "" },
	{ "allow 1 comment c", "allow 1 comment \"c\"", "" },
	{ "allow 1 comment c on eth0", "allow 1 on eth0 comment c", "" },
	/* not the same */
	{ "allow 1", "allow 1 comment c", "- allow 1\n+ allow 1 comment \"c\"\n" },
	{ "allow 1 2", "allow 1\nallow 2", "+ allow 1\n- allow 1 2\n+ allow 2\n" },
	{ "allow 1", "allow 1/tcp", "- allow 1\n+ allow 1/tcp\n" },
	/* as often as it is said */
	{ "allow 1\nallow 1", "allow 1", "- allow 1\n" },
	{ "allow 1", "allow 1\nallow 2\nallow 1\nallow 1",
	  "+ allow 1\n+ allow 1\n+ allow 2\n" },
};

static void print_difference(char sign, const char *statement, void *data)
{
	fprintf(data, "%c %s\n", sign, statement);
}

static long count_lines(const char *text)
{
	long count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void check_diff(const struct ruleset *from, const struct ruleset *to,
		       const char *expected)
{
	cleanup_free char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);
	long count = ruleset_diff(from, to, print_difference, out);

	fclose(out);
	assert_string_equal(got, expected);
	assert_int_equal(count, count_lines(expected));
	/* The number alone is what a caller without a function gets. */
	assert_int_equal(ruleset_diff(from, to, NULL, NULL), count);
	assert_int_equal(ruleset_diff(to, from, NULL, NULL), count);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed from, to;

		parsed_valid(&from, cases[i].from);
		parsed_valid(&to, cases[i].to);
		check_diff(&from.ruleset, &to.ruleset, cases[i].differences);
		parsed_clear(&from);
		parsed_clear(&to);
	}
}

/* Two readings of a random ruleset. */
static void parsed_twice(struct random *random, struct parsed *one, struct parsed *other)
{
	cleanup_free char *text = NULL;
	struct ruleset ruleset;

	random_ruleset(random, 1 + random_below(random, 20), &ruleset);
	text = printed(&ruleset);
	parsed_valid(one, text);
	parsed_valid(other, text);
	ruleset_clear(&ruleset);
}

/* In another order there is no difference; less a rule, that one is all. */
static void test_random(void **state)
{
	(void)state;
	for (__u64 seed = 1; seed <= 500; seed++) {
		cleanup_free char *gone = NULL, *removed = NULL, *added = NULL;
		struct random random = { seed };
		struct parsed from, to;

		parsed_twice(&random, &from, &to);
		random_shuffle(&random, &from.ruleset);
		check_diff(&from.ruleset, &to.ruleset, "");
		gone = rule_text(&to.ruleset.rules[0], true);
		ruleset_remove(&to.ruleset, 0);
		assert_true(asprintf(&removed, "- %s\n", gone) > 0);
		assert_true(asprintf(&added, "+ %s\n", gone) > 0);
		check_diff(&from.ruleset, &to.ruleset, removed);
		check_diff(&to.ruleset, &from.ruleset, added);
		parsed_clear(&from);
		parsed_clear(&to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_random),
	};

	return run_suite("diff", tests);
}
