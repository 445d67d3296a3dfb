// SPDX-License-Identifier: GPL-2.0-only
/* default, option: change one setting. */
#include "base/log.h"
#include "cli/change.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/words.h"
#include "kernel/datapath.h"
#include "kernel/datapath_rules.h"

static void setting_print(const struct ruleset *parsed)
{
	if (parsed->fallback_row)
		printf("default %s\n", action_name(parsed->fallback));
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		if (parsed->option_rows[option])
			printf("option %s %s\n", option_table[option].name,
			       option_value(option, parsed->options[option]));
	}
}

/* Takes the settings of the ruleset `data` into the running ruleset. */
static int setting_change(struct datapath *dp, struct ruleset *running,
			  const struct change *change, void *data)
{
	const struct ruleset *parsed = data;
	int err;

	if (parsed->fallback_row)
		running->fallback = parsed->fallback;
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		if (parsed->option_rows[option])
			running->options[option] = parsed->options[option];
	}
	err = change_commit_edit(dp, running, change);
	if (!err && !change->json)
		setting_print(parsed);
	return err;
}

static int setting_run(const struct command *command, int argc, char **argv)
{
	struct change change = { 0 };
	cleanup_ruleset struct ruleset parsed;
	int status = command_parse(command, &argc, argv, &change);

	ruleset_init(&parsed);
	if (status)
		return status;
	if (words_parse(command->name, argc - 1, argv + 1, &parsed))
		return EXIT_REFUSED;
	return change_run(&change, setting_change, &parsed);
}

const struct command cmd_default_entry = {
	.name = "default",
	.arguments = "allow|drop|reject",
	.summary = "Set the verdict of packets that no rule names",
	.help = "Replies to connections that this host opened pass, even if the default is "
		"drop or reject.",
	.examples = "  portctl default drop --confirm 60s\n",
	.options = change_options,
	.words = { 1, ANY_WORDS },
	.run = setting_run,
	.privileges = PRIVILEGES_CHANGE,
};

static void option_print_settings(const struct command *command, FILE *out)
{
	(void)command;
	fputs("NAME and VALUE are one of:\n", out);
	options_describe(false, help_described, out);
	fputs("The lifelines let packets pass before any rule that names a port. All are on:\n",
	      out);
	options_describe(true, help_described, out);
}

const struct command cmd_option_entry = {
	.name = "option",
	.arguments = "NAME VALUE",
	.summary = "Change a setting",
	.more_help = option_print_settings,
	.examples = "  portctl option fragments drop\n",
	.options = change_options,
	.words = { 1, ANY_WORDS },
	.run = setting_run,
	.privileges = PRIVILEGES_CHANGE,
};
