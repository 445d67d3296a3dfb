// SPDX-License-Identifier: GPL-2.0-only
/* assign_lines(): which line, and so which counters, a rule has from now on. */
#include "unit.h"

#include <errno.h>

#include "compile/compile.h"
#include "random.h"

/* An active ruleset, its rules having the lines from LINE_FIRST_RULE on. */
static void active_text(struct parsed *parsed, const char *text)
{
	parsed_valid(parsed, text);
	for (size_t i = 0; i < parsed->ruleset.count; i++)
		parsed->ruleset.rules[i].line = LINE_FIRST_RULE + i;
}

#define FIRST LINE_FIRST_RULE

static const struct {
	const char *active;
	const char *next;
	__u32 lines[4];
} cases[] = {
	{ "", "", { 0 } },
	{ "", "allow 1\nallow 2", { FIRST, FIRST + 1 } },
	{ "allow 1", "", { 0 } },
	{ "allow 1\nallow 2", "allow 1\nallow 2", { FIRST, FIRST + 1 } },
	/* where a rule stands means nothing */
	{ "allow 1\nallow 2", "allow 2\nallow 1", { FIRST + 1, FIRST } },
	{ "allow 1\nallow 2", "allow 2", { FIRST + 1 } },
	{ "allow 1\nallow 2",
	  "allow 3\nallow 2\nallow 4\nallow 1",
	  { FIRST + 2, FIRST + 1, FIRST + 3, FIRST } },
	/* a line that an active rule has is not free, though its rule goes */
	{ "allow 1", "allow 2", { FIRST + 1 } },
	/* the same rule: in other words, with another comment */
	{ "allow 22/tcp", "allow ssh", { FIRST } },
	{ "allow 1 2 3", "allow 3, 2, 1, 1", { FIRST } },
	{ "allow 1", "allow 1 comment \"new\"", { FIRST } },
	{ "allow 1 comment \"old\"", "allow 1", { FIRST } },
	{ "allow 1 comment \"old\"", "allow 1 comment \"new\"", { FIRST } },
	/* another rule: action, ports, transport, interface */
	{ "allow 1", "drop 1", { FIRST + 1 } },
	{ "allow 1", "allow 1-2", { FIRST + 1 } },
	{ "allow 1", "allow 1/tcp", { FIRST + 1 } },
	{ "allow 1", "allow 1 on eth0", { FIRST + 1 } },
	{ "allow 1 on eth0", "allow 1 on eth1", { FIRST + 1 } },
	{ "allow 1 2", "allow 1", { FIRST + 1 } },
	/* one line for one rule, though two say the same */
	{ "allow 1", "allow 1\nallow 1", { FIRST, FIRST + 1 } },
	{ "default drop", "default allow\nallow 1", { FIRST } },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed active, next;

		active_text(&active, cases[i].active);
		parsed_valid(&next, cases[i].next);
		assert_int_equal(assign_lines(&next.ruleset, &active.ruleset), 0);
		for (size_t r = 0; r < next.ruleset.count; r++) {
			if (next.ruleset.rules[r].line != cases[i].lines[r])
				fail_msg("case %zu, rule %zu: line %u", i, r,
					 next.ruleset.rules[r].line);
		}
		parsed_clear(&active);
		parsed_clear(&next);
	}
}

static bool same_text(const struct rule *a, const struct rule *b)
{
	cleanup_free char *s = rule_text(a, false), *t = rule_text(b, false);

	return !strcmp(s, t);
}

static const struct rule *find_line(const struct ruleset *ruleset, __u32 line)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].line == line)
			return &ruleset->rules[i];
	}
	return NULL;
}

static const struct rule *find_text(const struct ruleset *ruleset, const struct rule *rule)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (same_text(&ruleset->rules[i], rule))
			return &ruleset->rules[i];
	}
	return NULL;
}

/* One change of rules, looked at rule by rule. */
static void check_change(const struct ruleset *active, const struct ruleset *next, __u64 seed)
{
	for (size_t i = 0; i < next->count; i++) {
		const struct rule *rule = &next->rules[i];
		const struct rule *before = find_line(active, rule->line);

		if (rule->line < LINE_FIRST_RULE || rule->line >= MAX_LINES)
			fail_msg("seed %llu: line %u", seed, rule->line);
		if (find_line(next, rule->line) != rule)
			fail_msg("seed %llu: two rules have line %u", seed, rule->line);
		if (before && !same_text(before, rule))
			fail_msg("seed %llu: line %u was another rule's", seed, rule->line);
		/* The first of those that say the same goes on with the line. */
		if (!before && find_text(active, rule) && find_text(next, rule) == rule)
			fail_msg("seed %llu: rule %zu lost its line", seed, i + 1);
	}
}

/* Some rules go, some come, the rest change places: the next ruleset. */
static void random_change(struct random *random, const struct ruleset *active,
			  struct ruleset *next)
{
	random_ruleset(random, random_below(random, 8), next);
	for (size_t i = 0; i < active->count; i++) {
		const struct rule *old = &active->rules[i];
		struct rule rule = *old;

		if (random_once_in(random, 3))
			continue;
		rule.terms = malloc(rule.term_count * sizeof(*rule.terms));
		memcpy(rule.terms, old->terms, rule.term_count * sizeof(*rule.terms));
		rule.comment = random_once_in(random, 2) ? strdup("other") : NULL;
		rule.line = 0;
		assert_int_equal(ruleset_add(next, &rule), 0);
	}
	random_shuffle(random, next);
}

static void test_random_history(void **state)
{
	(void)state;
	for (__u64 seed = 1; seed <= 100; seed++) {
		struct random random = { seed };
		struct ruleset active, next;

		ruleset_init(&active);
		for (int change = 0; change < 20; change++) {
			random_change(&random, &active, &next);
			assert_int_equal(assign_lines(&next, &active), 0);
			check_change(&active, &next, seed);
			ruleset_clear(&active);
			active = next;
		}
		ruleset_clear(&active);
	}
}

/* MAX_RULES rules, none of which is one of another `kind`. */
static void full_ruleset(struct ruleset *ruleset, unsigned int kind)
{
	ruleset_init(ruleset);
	for (__u32 i = 0; i < MAX_RULES; i++) {
		struct rule rule = { .action = VERDICT_DROP, .term_count = 1 };

		rule.terms = malloc(sizeof(*rule.terms));
		*rule.terms = (struct term){ 1 + kind, 0, i, i };
		assert_int_equal(ruleset_add(ruleset, &rule), 0);
	}
}

/* Every line that a rule has is in `taken` once at most; says which it was. */
static void take_lines(const struct ruleset *ruleset, unsigned char *taken)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		__u32 line = ruleset->rules[i].line;

		assert_in_range(line, LINE_FIRST_RULE, MAX_LINES - 1);
		assert_false(taken[line]);
		taken[line] = 1;
	}
}

/* Full, then full of others, then of others again: every line there is, twice. */
static void test_full(void **state)
{
	struct ruleset active = { 0 };

	(void)state;
	for (unsigned int kind = 0; kind < 3; kind++) {
		cleanup_free unsigned char *taken = calloc(MAX_LINES, 1);
		struct ruleset next;

		full_ruleset(&next, kind);
		assert_int_equal(assign_lines(&next, &active), 0);
		take_lines(&active, taken);
		take_lines(&next, taken);
		ruleset_clear(&active);
		active = next;
	}
	ruleset_clear(&active);
}

/* The same rules again, in another order: no rule gets another line. */
static void test_full_kept(void **state)
{
	struct ruleset active, next, none = { 0 };
	struct random random = { 1 };

	(void)state;
	full_ruleset(&active, 0);
	full_ruleset(&next, 0);
	assert_int_equal(assign_lines(&active, &none), 0);
	random_shuffle(&random, &next);
	assert_int_equal(assign_lines(&next, &active), 0);
	for (size_t i = 0; i < next.count; i++) {
		__u16 port = next.rules[i].terms->first;

		assert_int_equal(next.rules[i].line, active.rules[port].line);
	}
	ruleset_clear(&active);
	ruleset_clear(&next);
}

/* Lines of a rule and of its limit: each rule's `line` and `limited_line`. */
static const struct {
	const char *active;
	const char *next;
	__u32 lines[2][2];
} limited[] = {
	{ "", "allow 1 limit 5/s", { { FIRST, FIRST + 1 } } },
	{ "", "allow 1\nallow 2 limit 5/s", { { FIRST, 0 }, { FIRST + 1, FIRST + 2 } } },
	{ "allow 1 limit 5/s", "allow 1 limit 5/s", { { FIRST, FIRST + 1 } } },
	{ "allow 1 limit 5/s",
	  "allow 2\nallow 1 limit 5/s comment \"c\"",
	  { { FIRST + 2, 0 }, { FIRST, FIRST + 1 } } },
	{ "allow 1 limit 5/s\nallow 2 limit 5/s",
	  "allow 2 limit 5/s\nallow 1 limit 5/s",
	  { { FIRST + 2, FIRST + 3 }, { FIRST, FIRST + 1 } } },
	/* another rule: rate, burst, source, end */
	{ "allow 1 limit 5/s", "allow 1", { { FIRST + 2, 0 } } },
	{ "allow 1", "allow 1 limit 5/s", { { FIRST + 1, FIRST + 2 } } },
	{ "allow 1 limit 5/s", "allow 1 limit 5/m", { { FIRST + 2, FIRST + 3 } } },
	{ "allow 1 limit 5/s", "allow 1 limit 5/s burst 9", { { FIRST + 2, FIRST + 3 } } },
	{ "allow 1 limit 5/s", "allow 1 limit 5/s per source", { { FIRST + 2, FIRST + 3 } } },
	{ "allow 1 from 10.0.0.1", "allow 1 from 10.0.0.2", { { FIRST + 1, 0 } } },
	{ "allow from 10.0.0.1 for 1h", "allow from 10.0.0.1 for 60m", { { FIRST, 0 } } },
	{ "allow from 10.0.0.1 for 1h", "allow from 10.0.0.1", { { FIRST + 1, 0 } } },
	/* one line for one rule, though two say the same */
	{ "allow 1 limit 5/s",
	  "allow 1 limit 5/s\nallow 1 limit 5/s",
	  { { FIRST, FIRST + 1 }, { FIRST + 2, FIRST + 3 } } },
};

static void test_limited(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limited); i++) {
		struct parsed none, active, next;

		parsed_valid(&none, "");
		parsed_valid(&active, limited[i].active);
		parsed_valid(&next, limited[i].next);
		assert_int_equal(assign_lines(&active.ruleset, &none.ruleset), 0);
		assert_int_equal(assign_lines(&next.ruleset, &active.ruleset), 0);
		for (size_t r = 0; r < next.ruleset.count; r++) {
			const struct rule *rule = &next.ruleset.rules[r];

			if (rule->line != limited[i].lines[r][0] ||
			    rule->limited_line != limited[i].lines[r][1])
				fail_msg("case %zu, rule %zu: lines %u, %u", i, r, rule->line,
					 rule->limited_line);
		}
		parsed_clear(&none);
		parsed_clear(&active);
		parsed_clear(&next);
	}
}

/* Where all rules have limits and change, there are lines for both rulesets or -EUSERS. */
static void test_limited_most(void **state)
{
	struct parsed active, next;

	(void)state;
	parsed_valid(&active, "");
	parsed_valid(&next, "");
	for (__u32 i = 0; i < MAX_RULES; i++) {
		struct rule rule = { .action = VERDICT_PASS, .limit = { 5, 's', 0, false } };

		rule.terms = malloc(sizeof(*rule.terms));
		*rule.terms = (struct term){ TRANSPORT_TCP, 0, i, i };
		rule.term_count = 1;
		assert_int_equal(ruleset_add(&next.ruleset, &rule), 0);
	}
	assert_int_equal(assign_lines(&next.ruleset, &active.ruleset), 0);
	for (__u32 i = 0; i < MAX_RULES; i++) {
		const struct rule *rule = &next.ruleset.rules[i];

		assert_in_range(rule->line, LINE_FIRST_RULE, MAX_LINES - 1);
		assert_int_equal(rule->limited_line, rule->line + 1);
	}
	/* Whose lines are all taken: nothing that is new finds one. */
	parsed_add(&active, "drop 9");
	assert_int_equal(assign_lines(&active.ruleset, &next.ruleset), -EUSERS);
	parsed_clear(&active);
	parsed_clear(&next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	     cmocka_unit_test(test_limited),
		cmocka_unit_test(test_limited_most), cmocka_unit_test(test_random_history),
		cmocka_unit_test(test_full),	     cmocka_unit_test(test_full_kept),
	};

	return run_suite("lines", tests);
}
