// SPDX-License-Identifier: GPL-2.0-only
#include "compile/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* A rule by its text, to find the rules that two rulesets share. */
struct named_rule {
	const char *text;
	struct rule *rule;
};

static int compare_named(const void *left, const void *right)
{
	const struct named_rule *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	/* Equal rules keep their order, so that they do not exchange their lines. */
	return order ?: a->rule < b->rule ? -1 : a->rule > b->rule;
}

/* Returns the rules sorted by their text, to be freed, or NULL if memory runs out. */
static struct named_rule *sort_by_text(const struct ruleset *ruleset,
				       const struct rule_texts *texts)
{
	struct named_rule *rules = calloc(ruleset->count + 1, sizeof(*rules));

	if (!rules)
		return NULL;
	for (size_t i = 0; i < ruleset->count; i++)
		rules[i] = (struct named_rule){ texts->list[i], &ruleset->rules[i] };
	qsort(rules, ruleset->count, sizeof(*rules), compare_named);
	return rules;
}

/* A rule that both rulesets have keeps its numbers and its end; others get 0. */
static void keep_numbers(struct rule *rule, const struct rule *active)
{
	static const struct rule none;
	const struct rule *from = active ?: &none;

	rule->line = from->line;
	rule->limited_line = from->limited_line;
	rule->door = from->door;
	rule->since = from->since;
	if (!rule->ends)
		rule->ends = from->ends;
}

/* Finds the rules that both rulesets have: merges the two sorted lists. */
static int keep_lines(struct ruleset *next, const struct rule_texts *next_texts,
		      const struct ruleset *active, const struct rule_texts *active_texts)
{
	cleanup_free struct named_rule *wanted = sort_by_text(next, next_texts);
	cleanup_free struct named_rule *present = sort_by_text(active, active_texts);
	size_t w = 0, p = 0;

	if (!wanted || !present)
		return -ENOMEM;
	while (w < next->count) {
		int order = p < active->count ? strcmp(wanted[w].text, present[p].text) : -1;

		if (order <= 0) {
			keep_numbers(wanted[w].rule, order ? NULL : present[p].rule);
			w++;
		}
		if (order >= 0)
			p++;
	}
	return 0;
}

/* The next free line from *line on; 0: none. */
static __u32 take_line(const unsigned char *taken, __u32 *line)
{
	while (*line < MAX_LINES && taken[*line])
		++*line;
	return *line < MAX_LINES ? (*line)++ : 0;
}

/* Gives rules without lines ones that no rule of `active` has. */
static int give_lines(struct ruleset *next, const struct ruleset *active)
{
	cleanup_free unsigned char *taken = calloc(MAX_LINES, 1);
	__u32 line = LINE_FIRST_RULE;

	if (!taken)
		return -ENOMEM;
	for (size_t i = 0; i < active->count; i++) {
		taken[active->rules[i].line] = 1;
		taken[active->rules[i].limited_line] = 1;
	}
	for (size_t i = 0; i < next->count; i++) {
		struct rule *rule = &next->rules[i];

		if (!rule->line)
			rule->line = take_line(taken, &line);
		if (!rule->limited_line && rule->limit.count)
			rule->limited_line = take_line(taken, &line);
		if (!rule->line || (!rule->limited_line && rule->limit.count))
			return -EUSERS;
	}
	return 0;
}

/* Gives knocks without a door one that no rule of `active` has. */
static int give_doors(struct ruleset *next, const struct ruleset *active)
{
	bool taken[MAX_DOORS + 1] = { true };
	__u32 door = 1;

	for (size_t i = 0; i < active->count; i++)
		taken[active->rules[i].door] = true;
	for (size_t i = 0; i < next->count; i++) {
		if (!next->rules[i].knock || next->rules[i].door)
			continue;
		while (door <= MAX_DOORS && taken[door])
			door++;
		if (door > MAX_DOORS)
			return -EUSERS;
		next->rules[i].door = door++;
	}
	return 0;
}

int assign_lines(struct ruleset *next, const struct ruleset *active)
{
	cleanup_rule_texts struct rule_texts wanted = { 0 };
	cleanup_rule_texts struct rule_texts present = { 0 };
	int err = rule_texts_print(&wanted, next) ?: rule_texts_print(&present, active);

	return err ?: keep_lines(next, &wanted, active, &present)
		       ?: give_lines(next, active)
		       ?: give_doors(next, active);
}
