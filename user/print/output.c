// SPDX-License-Identifier: GPL-2.0-only
/* Functions that the renderers share, and tables of JSON objects. */
#include "print/output.h"

#include <string.h>

#include "base/cleanup.h"

static void rule_lines(const struct stats_view *view, const struct ruleset *ruleset,
		       void (*call)(const struct line_view *line, void *data), void *data)
{
	struct rule_texts texts = { 0 };
	int err = rule_texts_print(&texts, ruleset);

	for (size_t i = 0; i < ruleset->count && !err; i++) {
		cleanup_free char *limited = NULL;
		struct line_view line = { texts.list[i], ruleset->rules[i].action,
					  &view->now->rules[i], true };

		call(&line, data);
		if (!ruleset->rules[i].limit.count)
			continue;
		if (asprintf(&limited, "limited: %s", texts.list[i]) < 0)
			break;
		line = (struct line_view){ limited, VERDICT_DROP, &view->now->limited[i],
					   true };
		call(&line, data);
	}
	rule_texts_clear(&texts);
}

void output_each_line(const struct stats_view *view, const struct ruleset *ruleset,
		      void (*call)(const struct line_view *line, void *data), void *data)
{
	rule_lines(view, ruleset, call, data);
	for (enum line l = 0; l < LINES_BUILTIN; l++) {
		struct line_view line = { line_name(l), line_verdict(l), &view->now->builtin[l],
					  default_line(ruleset->fallback) == l };

		call(&line, data);
	}
}

static int cell_width(const json_t *value)
{
	return json_is_integer(value) ? 12 : (int)json_string_length(value);
}

/* The width of each column, by its key. Computed once, not for each row. */
static json_t *column_widths(const json_t *rows)
{
	json_t *widths = json_object(), *row, *value;
	const char *key;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_object_foreach(row, key, value)
		{
			json_t *width = json_object_get(widths, key);
			int needed = cell_width(value);

			if (!width) {
				width = json_integer(strlen(key));
				json_object_set_new(widths, key, width);
			}
			if (needed > json_integer_value(width))
				json_integer_set(width, needed);
		}
	}
	return widths;
}

static void print_cell(const json_t *value, int width)
{
	if (json_is_integer(value))
		printf("%*lld", width, (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		printf("%-*s", width, json_is_true(value) ? "yes" : "no");
	else
		printf("%-*s", width, json_string_value(value) ?: "-");
}

/* Prints no trailing blanks: a last cell with text is not padded. */
static void print_row(const json_t *widths, const json_t *row, bool header)
{
	const char *separator = "", *key;
	json_t *value;

	json_object_foreach((json_t *)row, key, value)
	{
		json_auto_t *name = json_string(key);
		bool last = !json_object_iter_next((json_t *)row, json_object_key_to_iter(key));
		int width = last && !json_is_integer(value)
				    ? 0
				    : json_integer_value(json_object_get(widths, key));

		fputs(separator, stdout);
		if (header && json_is_integer(value))
			printf("%*s", width, key);
		else
			print_cell(header ? name : value, width);
		separator = "  ";
	}
	putchar('\n');
}

void print_rows(const char *key, const json_t *rows, bool json)
{
	json_auto_t *widths = NULL;
	const json_t *row;
	size_t i;

	if (json) {
		json_auto_t *all = json_pack("{s:O}", key, rows);

		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	widths = column_widths(rows);
	if (json_array_size(rows))
		print_row(widths, json_array_get(rows, 0), true);
	json_array_foreach(rows, i, row) print_row(widths, row, false);
}
