// SPDX-License-Identifier: GPL-2.0-only
#include "cli/words.h"

#include <errno.h>

#include "base/log.h"
#include "rules/ruleset_parse.h"

int words_parse(const char *first, int count, char **words, struct ruleset *ruleset)
{
	struct report report = { .out = stderr, .file = "argv", .no_comments = true };
	int err = ruleset_parse_words(ruleset, first, count, words, &report);

	return err == -ENOMEM ? out_of_memory() : err;
}
