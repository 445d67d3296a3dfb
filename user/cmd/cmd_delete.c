// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "cmd/command.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/number.h"
#include "kernel/datapath_rules.h"

/* Whether the words say nothing else than the rule; they may leave its options out. */
static bool is_meant(const struct rule *rule, const struct rule *words)
{
	struct rule short_form = *rule;

	if (!words->limit.count)
		short_form.limit = (struct limit){ 0 };
	if (!words->seconds)
		short_form.seconds = 0;
	if (!words->comment)
		short_form.comment = NULL;
	return rule_same(&short_form, words);
}

/* No rule is meant; `words` is NULL where they are no rule's at all. */
static long fail_none(const struct ruleset *running, const struct rule *words)
{
	for (size_t i = 0; i < running->count && words; i++) {
		const struct rule *rule = &running->rules[i];
		cleanup_free char *text = NULL;

		if (rule->action != words->action || !rule_same_match(rule, words))
			continue;
		text = rule_text(rule, true);
		return fail(-1, "no rule says that: rule %zu says \"%s\"", i + 1, text ?: "?");
	}
	return fail(-1, "no rule says that: \"portctl list\" shows the rules");
}

/* The rule that says just that, or else the only one that is meant; or -1, said why. */
static long find_said(const struct ruleset *running, const struct rule *words)
{
	long same = -1, meant = -1;
	size_t count = 0;

	for (size_t i = 0; i < running->count; i++) {
		if (!is_meant(&running->rules[i], words))
			continue;
		count++;
		meant = i;
		if (rule_same(&running->rules[i], words))
			same = i;
	}
	if (same >= 0 || count == 1)
		return same >= 0 ? same : meant;
	if (!count)
		return fail_none(running, words);
	return fail(-1,
		    "%zu rules say that and more: give one's number in \"portctl list\", or "
		    "all its words",
		    count);
}

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
	if (!words_parse(words[0], count - 1, words + 1, &parsed))
		found = parsed.count ? find_said(running, &parsed.rules[0])
				     : fail_none(running, NULL);
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
	err = change_commit_edit(dp, running, change);
	if (!err && !change->json)
		printf("deleted: %s\n", text ?: "?");
	return err;
}

int cmd_delete(const struct command *command, int argc, char **argv)
{
	struct ruleset running;
	struct datapath dp;
	struct change change;
	int words = parse_change(argc, argv, &change), err;

	if (words < 2)
		return command_usage(command);
	ruleset_init(&running);
	err = datapath_open(&dp, DATAPATH_WRITE);
	if (!err)
		err = datapath_rules_in_force(&dp, &running);
	if (!err)
		err = delete_rule(&dp, &running, words - 1, argv + 1, &change);
	if (!err && change.json)
		err = show_list(&dp, &running, true);
	ruleset_clear(&running);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
