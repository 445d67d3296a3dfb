// SPDX-License-Identifier: GPL-2.0-only
/* What has to be said and unsaid to come from one ruleset to another. */
#include <errno.h>
#include <string.h>

#include "command.h"
#include "util.h"

/* The printed statements of a ruleset, one string each, sorted. */
struct statements {
	char *text;
	char **list;
	size_t count;
	size_t room;
};

static int compare_statements(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void statements_clear(struct statements *statements)
{
	free(statements->text);
	free(statements->list);
}

static int statements_print(struct statements *statements, const struct ruleset *ruleset)
{
	size_t size;
	FILE *out = open_memstream(&statements->text, &size);
	char *rest, *line;

	if (!out)
		return -ENOMEM;
	ruleset_print(ruleset, out);
	if (fclose(out))
		return -ENOMEM;
	rest = statements->text;
	while ((line = strsep(&rest, "\n")) && rest) {
		if (array_reserve(&statements->list, &statements->room, statements->count,
				  sizeof(line)))
			return -ENOMEM;
		statements->list[statements->count++] = line;
	}
	qsort(statements->list, statements->count, sizeof(line), compare_statements);
	return 0;
}

static long merge(const struct statements *from, const struct statements *to,
		  void (*found)(char sign, const char *statement, void *data), void *data)
{
	size_t f = 0, t = 0;
	long count = 0;

	while (f < from->count || t < to->count) {
		int order = f == from->count ? 1
			    : t == to->count ? -1
					     : strcmp(from->list[f], to->list[t]);

		if (order && found)
			found(order < 0 ? '-' : '+', order < 0 ? from->list[f] : to->list[t],
			      data);
		count += order != 0;
		f += order <= 0;
		t += order >= 0;
	}
	return count;
}

long ruleset_diff(const struct ruleset *from, const struct ruleset *to,
		  void (*found)(char sign, const char *statement, void *data), void *data)
{
	struct statements a = { 0 }, b = { 0 };
	long count = statements_print(&a, from) ?: statements_print(&b, to);

	if (!count)
		count = merge(&a, &b, found, data);
	statements_clear(&a);
	statements_clear(&b);
	return count;
}
