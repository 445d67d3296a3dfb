// SPDX-License-Identifier: GPL-2.0-only
/* What all renderers do alike. */
#include "output.h"

#include "util.h"

static void rule_lines(const struct stats_view *view, const struct ruleset *ruleset,
		       void (*call)(const struct line_view *line, void *data), void *data)
{
	struct rule_texts texts = { 0 };
	int err = rule_texts_print(&texts, ruleset);

	for (size_t i = 0; i < ruleset->count && !err; i++) {
		char limited[512];
		struct line_view line = { texts.list[i], ruleset->rules[i].action,
					  &view->now->rules[i], true };

		call(&line, data);
		if (!ruleset->rules[i].limit.count)
			continue;
		snprintf(limited, sizeof(limited), "limited: %s", texts.list[i]);
		line = (struct line_view){ limited, VERDICT_DROP, &view->now->limited[i],
					   true };
		call(&line, data);
	}
	rule_texts_clear(&texts);
}

void each_line(const struct stats_view *view, const struct ruleset *ruleset,
	       void (*call)(const struct line_view *line, void *data), void *data)
{
	rule_lines(view, ruleset, call, data);
	for (enum line l = 0; l < LINES_BUILTIN; l++) {
		struct line_view line = { line_name(l), line_verdict(l), &view->now->builtin[l],
					  default_line(ruleset->fallback) == l };

		call(&line, data);
	}
}
