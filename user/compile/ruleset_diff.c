// SPDX-License-Identifier: GPL-2.0-only
#include "compile/ruleset_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "compile/claims.h"

#define NOT_A_RULE ((size_t)-1)

struct statement {
	const char *text;
	size_t rule; /* index; NOT_A_RULE: a setting */
};

/* One of the two rulesets with its printed statements, sorted. */
struct side {
	const struct ruleset *ruleset;
	char *text;
	struct statement *list;
	size_t count;
	size_t room;
	size_t *twins; /* for each rule the same rule of the other side, from 1; 0: none */
};

/* By text; equal statements stay in the order of the ruleset. */
static int compare_statements(const void *left, const void *right)
{
	const struct statement *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	return order ?: a->rule < b->rule ? -1 : a->rule > b->rule;
}

static void side_clear(struct side *side)
{
	free(side->text);
	free(side->list);
	free(side->twins);
}

#define cleanup_side __attribute__((cleanup(side_clear)))

/* Finds the rule of each statement. The printed text begins with the settings. */
static void find_rules(struct side *side)
{
	size_t settings = side->count - side->ruleset->count;

	for (size_t i = 0; i < side->count; i++)
		side->list[i].rule = i < settings ? NOT_A_RULE : i - settings;
}

static int side_print(struct side *side, const struct ruleset *ruleset)
{
	size_t size;
	FILE *out = open_memstream(&side->text, &size);
	char *rest, *line;

	side->ruleset = ruleset;
	side->twins = calloc(ruleset->count + 1, sizeof(*side->twins));
	if (!out)
		return -ENOMEM;
	ruleset_print(ruleset, out);
	if (fclose(out) || !side->twins)
		return -ENOMEM;
	rest = side->text;
	while ((line = strsep(&rest, "\n")) && rest) {
		if (array_reserve(&side->list, &side->room, side->count, sizeof(*side->list)))
			return -ENOMEM;
		side->list[side->count++].text = line;
	}
	find_rules(side);
	qsort(side->list, side->count, sizeof(*side->list), compare_statements);
	return 0;
}

/* Finds the statements that only one side has, and pairs the rules that both have. */
static long merge_sides(struct side *from, struct side *to, difference_fn *found, void *data)
{
	size_t f = 0, t = 0;
	long count = 0;

	while (f < from->count || t < to->count) {
		const struct statement *a = &from->list[f], *b = &to->list[t];
		int order = f == from->count ? 1
			    : t == to->count ? -1
					     : strcmp(a->text, b->text);

		if (order && found)
			found(order < 0 ? '-' : '+', order < 0 ? a->text : b->text, data);
		if (!order && a->rule != NOT_A_RULE) {
			from->twins[a->rule] = b->rule + 1;
			to->twins[b->rule] = a->rule + 1;
		}
		count += order != 0;
		f += order <= 0;
		t += order >= 0;
	}
	return count;
}

/* Whether any rule that both have is in another order. Mostly none is. */
static bool any_moved(const struct side *from)
{
	size_t before = 0;

	for (size_t i = 0; i < from->ruleset->count; i++) {
		if (!from->twins[i])
			continue;
		if (from->twins[i] < before)
			return true;
		before = from->twins[i];
	}
	return false;
}

/* Removes the wants of rules that only this side has. */
static void keep_common(struct wants *wants, const struct side *side)
{
	size_t kept = 0;

	for (size_t i = 0; i < wants->count; i++) {
		if (side->twins[wants->list[i].rule - side->ruleset->rules])
			wants->list[kept++] = wants->list[i];
	}
	wants->count = kept;
}

/*
 * Marks the rules whose order matters and differs. Of the rules that both sides have, the
 * wants are the same, except for the order of those that are equally specific and begin at
 * the same port.
 */
static int find_moved(const struct side *from, const struct side *to, bool *moved)
{
	cleanup_wants struct wants a = { 0 };
	cleanup_wants struct wants b = { 0 };
	int err = wants_collect(&a, from->ruleset) ?: wants_collect(&b, to->ruleset);

	if (!err) {
		keep_common(&a, from);
		keep_common(&b, to);
	}
	for (size_t i = 0; i < a.count && !err; i++) {
		size_t rule = a.list[i].rule - from->ruleset->rules;

		moved[rule] |= from->twins[rule] != b.list[i].rule - to->ruleset->rules + 1ul;
	}
	return err;
}

static long report_moved(const struct side *from, const struct side *to, difference_fn *found,
			 void *data)
{
	cleanup_free bool *moved = NULL;
	long count = 0;

	if (!any_moved(from))
		return 0;
	moved = calloc(from->ruleset->count, sizeof(*moved));
	if (!moved || find_moved(from, to, moved))
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++) {
		const struct statement *statement = &from->list[i];

		if (statement->rule == NOT_A_RULE || !moved[statement->rule])
			continue;
		count += 2;
		if (found) {
			found('-', statement->text, data);
			found('+', statement->text, data);
		}
	}
	return count;
}

long ruleset_diff(const struct ruleset *from, const struct ruleset *to, difference_fn *found,
		  void *data)
{
	cleanup_side struct side a = { 0 };
	cleanup_side struct side b = { 0 };
	long err = side_print(&a, from) ?: side_print(&b, to), count = 0;

	if (!err) {
		count = merge_sides(&a, &b, found, data);
		err = report_moved(&a, &b, found, data);
	}
	return err < 0 ? err : count + err;
}
