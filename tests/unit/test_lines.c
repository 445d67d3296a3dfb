// SPDX-License-Identifier: GPL-2.0-only
/* assign_lines(): which line, and with it which counters, each rule gets after a change. */
#include "unit.h"

#include <errno.h>

#include "compile/lines.h"
#include "random.h"

/* Parses a ruleset as the active one: its rules have the lines from LINE_FIRST_RULE on. */
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
	/* the order of the rules does not matter */
	{ "allow 1\nallow 2", "allow 2\nallow 1", { FIRST + 1, FIRST } },
	{ "allow 1\nallow 2", "allow 2", { FIRST + 1 } },
	{ "allow 1\nallow 2",
	  "allow 3\nallow 2\nallow 4\nallow 1",
	  { FIRST + 2, FIRST + 1, FIRST + 3, FIRST } },
	/* the line of an active rule is not free yet, though the rule is removed */
	{ "allow 1", "allow 2", { FIRST + 1 } },
	/* the same rule: spelled differently, or with another comment */
	{ "allow 22/tcp", "allow ssh", { FIRST } },
	{ "allow 1 2 3", "allow 3, 2, 1, 1", { FIRST } },
	{ "allow 1", "allow 1 comment \"new\"", { FIRST } },
	{ "allow 1 comment \"old\"", "allow 1", { FIRST } },
	{ "allow 1 comment \"old\"", "allow 1 comment \"new\"", { FIRST } },
	/* a different rule: action, ports, transport, interface */
	{ "allow 1", "drop 1", { FIRST + 1 } },
	{ "allow 1", "allow 1-2", { FIRST + 1 } },
	{ "allow 1", "allow 1/tcp", { FIRST + 1 } },
	{ "allow 1", "allow 1 on eth0", { FIRST + 1 } },
	{ "allow 1 on eth0", "allow 1 on eth1", { FIRST + 1 } },
	{ "allow 1 2", "allow 1", { FIRST + 1 } },
	/* each rule has its own line, also where two rules are the same */
	{ "allow 1", "allow 1\nallow 1", { FIRST, FIRST + 1 } },
	{ "default drop", "default allow\nallow 1", { FIRST } },
};

static void test_same_rule_keeps_its_line(void **state)
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

/* Checks the lines after a change, rule by rule. */
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
		/* Of several equal rules, the first keeps the line. */
		if (!before && find_text(active, rule) && find_text(next, rule) == rule)
			fail_msg("seed %llu: rule %zu lost its line", seed, i + 1);
	}
}

/* Makes the next ruleset: some rules removed, some added, all shuffled. */
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

static void test_random_changes(void **state)
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

/* MAX_RULES rules. Rulesets of different kinds have no rule in common. */
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

/* Marks the rules' lines in `taken`. No line may be marked already. */
static void take_lines(const struct ruleset *ruleset, unsigned char *taken)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		__u32 line = ruleset->rules[i].line;

		assert_in_range(line, LINE_FIRST_RULE, MAX_LINES - 1);
		assert_false(taken[line]);
		taken[line] = 1;
	}
}

/* MAX_RULES rules, replaced twice by MAX_RULES others: old and new rules never share a line. */
static void test_most_rules_replaced(void **state)
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

/* MAX_RULES rules, shuffled: each keeps its line. */
static void test_most_rules_shuffled(void **state)
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

/* Each rule's `line` and `limited_line`. */
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
	/* a different rule: rate, burst, source, expiry */
	{ "allow 1 limit 5/s", "allow 1", { { FIRST + 2, 0 } } },
	{ "allow 1", "allow 1 limit 5/s", { { FIRST + 1, FIRST + 2 } } },
	{ "allow 1 limit 5/s", "allow 1 limit 5/m", { { FIRST + 2, FIRST + 3 } } },
	{ "allow 1 limit 5/s", "allow 1 limit 5/s burst 9", { { FIRST + 2, FIRST + 3 } } },
	{ "allow 1 limit 5/s", "allow 1 limit 5/s per source", { { FIRST + 2, FIRST + 3 } } },
	{ "allow 1 from 10.0.0.1", "allow 1 from 10.0.0.2", { { FIRST + 1, 0 } } },
	{ "allow from 10.0.0.1 for 1h", "allow from 10.0.0.1 for 60m", { { FIRST, 0 } } },
	{ "allow from 10.0.0.1 for 1h", "allow from 10.0.0.1", { { FIRST + 1, 0 } } },
	/* each rule has its own lines, also where two rules are the same */
	{ "allow 1 limit 5/s",
	  "allow 1 limit 5/s\nallow 1 limit 5/s",
	  { { FIRST, FIRST + 1 }, { FIRST + 2, FIRST + 3 } } },
};

static void test_limited_rule_has_two_lines(void **state)
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

/* MAX_RULES rules with limits take all lines: a new rule gets none, which is -EUSERS. */
static void test_no_line_left(void **state)
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
	/* All lines are taken. */
	parsed_add(&active, "drop 9");
	assert_int_equal(assign_lines(&active.ruleset, &next.ruleset), -EUSERS);
	parsed_clear(&active);
	parsed_clear(&next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_rule_keeps_its_line),
		cmocka_unit_test(test_limited_rule_has_two_lines),
		cmocka_unit_test(test_no_line_left),
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_most_rules_replaced),
		cmocka_unit_test(test_most_rules_shuffled),
	};

	return run_suite("lines", tests);
}
