// SPDX-License-Identifier: GPL-2.0-only
#include "state/saved.h"

#include <errno.h>
#include <limits.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/file.h"
#include "compile/ruleset_diff.h"
#include "rules/ruleset_clauses.h"
#include "rules/ruleset_parse.h"

const char *saved_path(void)
{
	return env_or("PORTCTL_RULES", "/etc/portctl/rules");
}

const char *saved_interfaces_path(void)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s.interfaces", saved_path());
	return path;
}

void saved_print(const struct ruleset *ruleset, FILE *out)
{
	settings_print(ruleset, out);
	for (size_t i = 0; i < ruleset->count; i++) {
		if (clauses_given(&ruleset->rules[i], CLAUSE_TIME))
			continue;
		rule_print(&ruleset->rules[i], out, true);
		fputc('\n', out);
	}
}

int saved_copy(const struct ruleset *running, struct ruleset *lasting)
{
	struct report report = { .out = stderr, .file = "running rules" };
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	saved_print(running, out);
	return fclose(out) ? -ENOMEM : ruleset_parse(lasting, text, &report);
}

bool saved_is_current(const struct ruleset *running)
{
	cleanup_free char *text = NULL, *message = NULL;
	size_t size;
	cleanup_file FILE *out = open_memstream(&message, &size);
	struct report report = { .out = out, .file = saved_path() };
	cleanup_ruleset struct ruleset saved, lasting;

	ruleset_init(&saved);
	ruleset_init(&lasting);
	return out && !file_read(saved_path(), &text, &size) &&
	       !ruleset_parse(&saved, text, &report) && !saved_copy(running, &lasting) &&
	       ruleset_diff(&saved, &lasting, NULL, NULL) == 0;
}
