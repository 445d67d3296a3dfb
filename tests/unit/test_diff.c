// SPDX-License-Identifier: GPL-2.0-only
/* ruleset_diff(): the statements to remove from one ruleset and to add to get another. */
#include "unit.h"

#include "compile/ruleset_diff.h"
#include "rules/prefix.h"
#include "compile/ruleset_diff.h"
#include "random.h"
#include "slow_sources.h"

#define BOTH(statement) "- " statement "\n+ " statement "\n"

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
	/* the same rule spelled differently */
	{ "allow ssh", "allow 22/tcp", "" },
	{ "allow 2, 1 2", "allow 1 2", "" },
	{ "allow 1 comment c", "allow 1 comment \"c\"", "" },
	{ "allow 1 comment c on eth0", "allow 1 on eth0 comment c", "" },
	/* a different rule */
	{ "allow 1", "allow 1 comment c", "- allow 1\n+ allow 1 comment \"c\"\n" },
	{ "allow 1 2", "allow 1\nallow 2", "+ allow 1\n- allow 1 2\n+ allow 2\n" },
	{ "allow 1", "allow 1/tcp", "- allow 1\n+ allow 1/tcp\n" },
	/* repeated rules are counted */
	{ "allow 1\nallow 1", "allow 1", "- allow 1\n" },
	{ "allow 1", "allow 1\nallow 2\nallow 1\nallow 1",
	  "+ allow 1\n+ allow 1\n+ allow 2\n" },
	/* the order matters: of equally specific rules the first is charged */
	{ "allow 80\nallow 80 limit 1/h", "allow 80 limit 1/h\nallow 80",
	  BOTH("allow 80") BOTH("allow 80 limit 1/h") },
	{ "allow 1 comment a\nallow 2\nallow 1", "allow 1\nallow 2\nallow 1 comment a",
	  BOTH("allow 1") BOTH("allow 1 comment \"a\"") },
	{ "allow from ::1\nallow from ::1, ::2", "allow from ::1, ::2\nallow from ::1",
	  BOTH("allow from ::1") BOTH("allow from ::1, ::2") },
	{ "allow 1-9 5\nallow 4 1-9 on a\nallow 1-9",
	  "allow 1-9\nallow 4 1-9 on a\nallow 1-9 5", BOTH("allow 1-9") BOTH("allow 1-9 5") },
	{ "allow 1\nallow 1 2\nallow 1 3\nallow 4", "allow 1 3\nallow 1 2\nallow 1\nallow 5",
	  "- allow 4\n+ allow 5\n" BOTH("allow 1") BOTH("allow 1 3") },
	{ "allow 1\nallow 1 2\nallow 1 3", "allow 1 3\nallow 1",
	  "- allow 1 2\n" BOTH("allow 1") BOTH("allow 1 3") },
	{ "allow 1\nallow 1 2\nallow 1", "allow 1\nallow 1\nallow 1 2",
	  BOTH("allow 1") BOTH("allow 1 2") },
	{ "knock a opens 22 for 1m after 1/tcp 3/tcp 2/tcp within 1m\n"
	  "knock b opens 22 for 1m after 4/tcp 6/tcp 5/tcp within 1m",
	  "knock b opens 22 for 1m after 4/tcp 6/tcp 5/tcp within 1m\n"
	  "knock a opens 22 for 1m after 1/tcp 3/tcp 2/tcp within 1m",
	  BOTH("knock a opens 22 for 1m after 1/tcp 3/tcp 2/tcp within 1m")
		  BOTH("knock b opens 22 for 1m after 4/tcp 6/tcp 5/tcp within 1m") },
	/* the order does not matter: one is more specific or begins lower, or none overlap */
	{ "allow 1-9\nallow 1-8\nallow 1-9/tcp\nallow 1-9 on a\nallow 1-9 on b\nallow 2-10\n"
	  "allow 1-9 from ::1\nallow 1-9 from ::2\nallow from ::1",
	  "allow from ::1\nallow 1-9 from ::2\nallow 1-9 from ::1\nallow 2-10\n"
	  "allow 1-9 on b\nallow 1-9 on a\nallow 1-9/tcp\nallow 1-8\nallow 1-9",
	  "" },
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
	/* Without a callback, only the number is returned. */
	assert_int_equal(ruleset_diff(from, to, NULL, NULL), count);
	assert_int_equal(ruleset_diff(to, from, NULL, NULL), count);
}

static void test_differences(void **state)
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

/* Whether the order of two rules matters: they share a term, a source and the interface. */
static bool order_counts(const struct rule *a, const struct rule *b)
{
	bool source = !a->source_count && !b->source_count;
	bool term = !a->term_count && !b->term_count;

	for (size_t i = 0; i < a->source_count; i++) {
		for (size_t j = 0; j < b->source_count; j++)
			source |= !prefix_compare(&a->sources[i], &b->sources[j]);
	}
	for (size_t i = 0; i < a->term_count; i++) {
		for (size_t j = 0; j < b->term_count; j++)
			term |= !memcmp(&a->terms[i], &b->terms[j], sizeof(*a->terms));
	}
	return source && term && !strcmp(a->iface, b->iface);
}

static bool rule_same_text(const struct rule *a, const struct rule *b)
{
	cleanup_free char *s = rule_text(a, true), *t = rule_text(b, true);

	return !strcmp(s, t);
}

/*
 * Parses a random ruleset twice. With `ordered` no two of its rules are the same; else no two
 * have an order that matters.
 */
static void parsed_twice(struct random *random, bool ordered, struct parsed *one,
			 struct parsed *other)
{
	cleanup_free char *text = NULL;
	struct ruleset ruleset;

	random_ruleset(random, 1 + random_below(random, 20), &ruleset);
	rules_leave_out(&ruleset, ordered ? rule_same_text : order_counts);
	text = printed(&ruleset);
	parsed_valid(one, text);
	parsed_valid(other, text);
	ruleset_clear(&ruleset);
}

/* Shuffled rules differ in nothing; with one rule removed, that rule is the only difference. */
static void test_random_rulesets(void **state)
{
	(void)state;
	for (__u64 seed = 1; seed <= 500; seed++) {
		cleanup_free char *gone = NULL, *removed = NULL, *added = NULL;
		struct random random = { seed };
		struct parsed from, to;

		parsed_twice(&random, false, &from, &to);
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

/* Whether two rules whose order matters have changed places, judged by their rows. */
static bool order_changed(const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (ruleset->rules[j].row > ruleset->rules[i].row &&
			    order_counts(&ruleset->rules[j], &ruleset->rules[i]))
				return true;
		}
	}
	return false;
}

static void test_random_order_that_matters(void **state)
{
	int changed = 0;

	(void)state;
	for (__u64 seed = 1; seed <= 500; seed++) {
		struct random random = { seed };
		struct parsed from, to;
		long count;

		parsed_twice(&random, true, &from, &to);
		random_shuffle(&random, &from.ruleset);
		count = ruleset_diff(&from.ruleset, &to.ruleset, NULL, NULL);
		assert_int_equal(!!count, order_changed(&from.ruleset));
		assert_int_equal(ruleset_diff(&to.ruleset, &from.ruleset, NULL, NULL), count);
		changed += !!count;
		parsed_clear(&from);
		parsed_clear(&to);
	}
	assert_in_range(changed, 50, 450);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_random_rulesets),
		cmocka_unit_test(test_random_order_that_matters),
	};

	return run_suite("diff", tests);
}
