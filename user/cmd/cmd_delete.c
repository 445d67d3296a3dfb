// SPDX-License-Identifier: GPL-2.0-only
/* delete: remove a rule. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/number.h"
#include "cli/change.h"
#include "cli/command.h"
#include "cli/words.h"
#include "kernel/datapath.h"
#include "kernel/datapath_rules.h"

/* Prints that no rule is meant, and which rule has the same ports and action. Returns -1. */
static long fail_no_rule(const struct ruleset *running, const struct rule *words)
{
	for (size_t i = 0; i < running->count && words; i++) {
		const struct rule *rule = &running->rules[i];
		cleanup_free char *text = NULL;

		if (rule->action != words->action || !rule_same_match(rule, words))
			continue;
		text = rule_text(rule, true);
		return fail(-1, "there is no such rule: rule %zu is \"%s\"", i + 1,
			    text ?: "?");
	}
	return fail(-1, "there is no such rule: \"portctl list\" shows the rules");
}

/*
 * The index of the rule that is equal to the words, or else of the only rule that they name;
 * -1, with the error printed, if there is no such rule or several.
 */
static long find_by_words(const struct ruleset *running, const struct rule *words)
{
	long same = -1, meant = -1;
	size_t count = 0;

	for (size_t i = 0; i < running->count; i++) {
		if (!rule_is_meant(&running->rules[i], words))
			continue;
		count++;
		meant = i;
		if (rule_same(&running->rules[i], words))
			same = i;
	}
	if (same >= 0 || count == 1)
		return same >= 0 ? same : meant;
	if (!count)
		return fail_no_rule(running, words);
	return fail(-1,
		    "%zu rules have these words: give the number of one, as in \"portctl "
		    "list\", or all its words",
		    count);
}

/* The words behind "delete". */
struct delete_words {
	int count;
	char **list;
};

/* The index of the rule that the words name, by its number or by its own words; or -1. */
static long find_rule(const struct ruleset *running, int count, char **words)
{
	cleanup_ruleset struct ruleset parsed;
	unsigned long number;

	ruleset_init(&parsed);
	if (count == 1 && !number_parse(words[0], strlen(words[0]), MAX_RULES, &number)) {
		if (number && number <= running->count)
			return number - 1;
		return fail(-1, "there is no rule %lu: \"portctl list\" shows %zu rule%s",
			    number, running->count, running->count == 1 ? "" : "s");
	}
	if (words_parse(words[0], count - 1, words + 1, &parsed))
		return -1;
	return parsed.count ? find_by_words(running, &parsed.rules[0])
			    : fail_no_rule(running, NULL);
}

static int delete_rule(struct datapath *dp, struct ruleset *running,
		       const struct change *change, void *data)
{
	const struct delete_words *words = data;
	cleanup_free char *text = NULL;
	long found = find_rule(running, words->count, words->list);
	int err;

	if (found < 0)
		return -ENOENT;
	text = rule_text(&running->rules[found], true);
	ruleset_remove(running, found);
	err = change_commit_edit(dp, running, change);
	if (!err && !change->json)
		printf("deleted: %s\n", text ?: "?");
	return err;
}

static int delete_run(const struct command *command, int argc, char **argv)
{
	struct change change = { 0 };
	struct delete_words words;
	int status = command_parse(command, &argc, argv, &change);

	if (status)
		return status;
	words = (struct delete_words){ argc - 1, argv + 1 };
	return change_run(&change, delete_rule, &words);
}

const struct command cmd_delete_entry = {
	.name = "delete",
	.arguments = "NUMBER|RULE",
	.summary = "Remove a rule",
	.help = "NUMBER is the number of a rule in \"portctl list\"; RULE is the rule itself. "
		"It may leave out limit, for and comment, if the other words fit only one "
		"rule. A rule whose time is over is not listed and has no number.",
	.examples = "  portctl delete 3\n"
		    "  portctl delete allow 22\n",
	.options = change_options,
	.words = { 1, ANY_WORDS },
	.run = delete_run,
	.privileges = PRIVILEGES_CHANGE,
};
