// SPDX-License-Identifier: GPL-2.0-only
/* Which line the packets of a rule are charged to. */
#include <errno.h>
#include <string.h>

#include "compile/compile.h"
#include "base/cleanup.h"

/* A rule by its text, to find those that two rulesets share. */
struct named_rule {
	const char *text;
	struct rule *rule;
};

static int compare_named(const void *left, const void *right)
{
	const struct named_rule *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	/* The same twice keeps its order, so that its lines do not change places. */
	return order ?: a->rule < b->rule ? -1 : a->rule > b->rule;
}

/* The rules of a ruleset sorted by their text; to be freed, NULL on no memory. */
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

/* Rules that both have keep their lines and when they end; the others have none. */
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
			wanted[w].rule->line = order ? 0 : present[p].rule->line;
			wanted[w].rule->limited_line =
				order ? 0 : present[p].rule->limited_line;
			wanted[w].rule->door = order ? 0 : present[p].rule->door;
			wanted[w].rule->since = order ? 0 : present[p].rule->since;
			if (!order && !wanted[w].rule->ends)
				wanted[w].rule->ends = present[p].rule->ends;
			w++;
		}
		if (order >= 0)
			p++;
	}
	return 0;
}

/* The next line from *line on that nobody has; 0 where there is none. */
static __u32 take_line(const unsigned char *taken, __u32 *line)
{
	while (*line < MAX_LINES && taken[*line])
		++*line;
	return *line < MAX_LINES ? (*line)++ : 0;
}

/* Rules without lines get ones that no rule of `active` has. */
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

/* The same for the numbers of doors. */
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
	struct rule_texts wanted = { 0 }, present = { 0 };
	int err = rule_texts_print(&wanted, next) ?: rule_texts_print(&present, active);

	if (!err)
		err = keep_lines(next, &wanted, active, &present);
	if (!err)
		err = give_lines(next, active) ?: give_doors(next, active);
	rule_texts_clear(&wanted);
	rule_texts_clear(&present);
	return err;
}
