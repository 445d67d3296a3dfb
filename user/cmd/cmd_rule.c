// SPDX-License-Identifier: GPL-2.0-only
/* allow, drop, reject: add one rule; default, option: change one setting. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/command.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/datapath_rules.h"

/*
 * Puts a rule in the place of those that it replaces: all their ports are its own. What
 * is to be said of these once it has happened, to be freed, is *said.
 */
static int replace_rules(struct ruleset *running, struct rule *rule, char **said)
{
	size_t size;
	FILE *out = open_memstream(said, &size);

	for (size_t i = running->count; out && i-- > 0;) {
		if (!rule_covers(rule, &running->rules[i]))
			continue;
		fputs("replaces: ", out);
		rule_print(&running->rules[i], out, true);
		fputc('\n', out);
		ruleset_remove(running, i);
	}
	if (!out || fclose(out))
		return -ENOMEM;
	return ruleset_add(running, rule);
}

static void note_interface(const struct datapath *dp, const struct rule *rule)
{
	if (!dp->count)
		note("portctl is attached to no interface: portctl attach IFACE");
	else if (*rule->iface && !datapath_interface(dp, rule->iface))
		note("portctl is not attached to %s", rule->iface);
}

/* Adds the one rule of `parsed` to the running ruleset, or says why it can't. */
static int add_rule(struct datapath *dp, struct ruleset *running, struct ruleset *parsed,
		    const struct change *change)
{
	struct rule *rule = &parsed->rules[0];
	cleanup_free char *replaced = NULL;
	int err;

	/* A rule with "for" said again begins anew, also if it runs now. */
	if (rule->seconds)
		rule->ends = since_boot() + rule->seconds * 1000000000ull;
	if (!rule->seconds && ruleset_find(running, rule) >= 0) {
		if (!change->json)
			printf("rule %ld says so already\n", ruleset_find(running, rule) + 1);
		return 0;
	}
	rule->row = running->count + 1;
	err = replace_rules(running, rule, &replaced);
	if (err == -ENOSPC)
		return fail(err, "the ruleset is full: at most %d rules", MAX_RULES);
	if (err)
		return fail(err, "out of memory");
	err = change_commit_edit(dp, running, change);
	if (!err)
		note_interface(dp, &running->rules[running->count - 1]);
	if (!err && !change->json) {
		datapath_unlock(dp);
		printf("%srule %zu added\n", replaced, running->count);
	}
	return err;
}

/* What a command does to the running ruleset with what its words said. */
typedef int apply_fn(struct datapath *dp, struct ruleset *running, struct ruleset *parsed,
		     const struct change *change);

static int apply_to_running(struct ruleset *parsed, const struct change *change,
			    apply_fn *apply)
{
	struct ruleset running;
	struct datapath dp;
	int err;

	ruleset_init(&running);
	err = datapath_open(&dp, DATAPATH_WRITE);
	if (!err)
		err = datapath_rules_in_force(&dp, &running);
	if (!err)
		err = apply(&dp, &running, parsed, change);
	if (!err && change->json)
		err = show_list(&dp, &running, true);
	ruleset_clear(&running);
	datapath_close(&dp);
	return err;
}

static int run(const struct command *command, int argc, char **argv, apply_fn *apply)
{
	struct ruleset parsed;
	struct change change;
	int words = parse_change(argc, argv, &change), err;

	if (words < 2)
		return command_usage(command);
	ruleset_init(&parsed);
	err = words_parse(command->name, words - 1, argv + 1, &parsed);
	if (!err)
		err = apply_to_running(&parsed, &change, apply);
	ruleset_clear(&parsed);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

int cmd_rule(const struct command *command, int argc, char **argv)
{
	return run(command, argc, argv, add_rule);
}

static void print_settings(const struct ruleset *parsed)
{
	if (parsed->fallback_row)
		printf("default %s\n", action_name(parsed->fallback));
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		const struct option_words *words = &option_words[option];
		bool pass = parsed->options[option] == VERDICT_PASS;

		if (parsed->option_rows[option])
			printf("option %s %s\n", words->name, pass ? words->pass : words->drop);
	}
}

static int apply_setting(struct datapath *dp, struct ruleset *running, struct ruleset *parsed,
			 const struct change *change)
{
	int err;

	if (parsed->fallback_row)
		running->fallback = parsed->fallback;
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		if (parsed->option_rows[option])
			running->options[option] = parsed->options[option];
	}
	err = change_commit_edit(dp, running, change);
	if (!err && !change->json)
		print_settings(parsed);
	return err;
}

int cmd_setting(const struct command *command, int argc, char **argv)
{
	return run(command, argc, argv, apply_setting);
}
