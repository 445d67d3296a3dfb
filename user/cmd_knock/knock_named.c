// SPDX-License-Identifier: GPL-2.0-only
#include "cmd_knock/knock_named.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

const struct rule *knock_named(const struct ruleset *ruleset, const char *name)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (rule->knock && !strcmp(rule->knock->name, name))
			return rule;
	}
	fail(-ENOENT, "there is no knock \"%s\": \"portctl knock list\" shows the knocks",
	     name);
	return NULL;
}
