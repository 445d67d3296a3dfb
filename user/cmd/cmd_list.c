// SPDX-License-Identifier: GPL-2.0-only
/* list: the running rules and their counters. */
#include "cli/command.h"
#include "cli/show.h"
#include "kernel/datapath_rules.h"

static int list_run(const struct command *command, int argc, char **argv)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset ruleset;
	bool json = false;
	int err, status = command_parse(command, &argc, argv, &json);

	ruleset_init(&ruleset);
	if (status)
		return status;
	err = datapath_open(&dp, DATAPATH_READ) ?: datapath_rules_in_force(&dp, &ruleset)
						?: show_list(&dp, &ruleset, json);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_list_entry = {
	.name = "list",
	.arguments = "",
	.summary = "Show the running rules and their counters",
	.options = options_json,
	.run = list_run,
	.privileges = PRIVILEGES_READ,
};
