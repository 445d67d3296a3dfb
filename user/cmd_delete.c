// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "command.h"
#include "log.h"
#include "util.h"

/* The rule that the words name: its number, or its own words. */
static long find_rule(const struct ruleset *running, int count, char **words)
{
	struct ruleset parsed;
	unsigned long number;
	long found = -1;

	if (count == 1 && !number_parse(words[0], strlen(words[0]), MAX_RULES, &number)) {
		if (number && number <= running->count)
			return number - 1;
		return fail(-1, "there is no rule %lu: \"portctl list\" shows %zu", number,
			    running->count);
	}
	ruleset_init(&parsed);
	if (!words_parse(words[0], count - 1, words + 1, &parsed)) {
		for (size_t i = 0; i < running->count && parsed.count; i++) {
			if (running->rules[i].action == parsed.rules[0].action &&
			    rule_same_match(&running->rules[i], &parsed.rules[0]))
				found = i;
		}
		if (found < 0)
			fail(-1, "no rule says that: \"portctl list\" shows the rules");
	}
	ruleset_clear(&parsed);
	return found;
}

static int delete_rule(struct datapath *dp, struct ruleset *running, int count, char **words,
		       const struct change *change)
{
	cleanup_free char *text = NULL;
	long found = find_rule(running, count, words);
	int err;

	if (found < 0)
		return -ENOENT;
	text = rule_text(&running->rules[found], true);
	ruleset_remove(running, found);
	err = commit_change(dp, running, change);
	if (!err && !change->json)
		printf("deleted: %s\n", text ?: "?");
	return err;
}

int cmd_delete(const struct command *command, int argc, char **argv)
{
	struct ruleset running;
	struct datapath dp;
	struct change change;
	int words = options_change(argc, argv, &change), err;

	if (words < 2)
		return usage(command);
	ruleset_init(&running);
	err = datapath_open(&dp, DATAPATH_WRITE);
	if (!err)
		err = datapath_rules_in_force(&dp, &running);
	if (!err)
		err = delete_rule(&dp, &running, words - 1, argv + 1, &change);
	if (!err && change.json)
		err = print_list(&dp, &running, true);
	ruleset_clear(&running);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
