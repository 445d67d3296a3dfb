// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/command.h"
#include "kernel/datapath_rules.h"

int cmd_list(const struct command *command, int argc, char **argv)
{
	struct ruleset ruleset;
	struct datapath dp;
	bool json;
	int err;

	if (parse_json(argc, argv, &json) != 1)
		return command_usage(command);
	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_READ);
	if (!err)
		err = datapath_rules_in_force(&dp, &ruleset);
	if (!err)
		err = show_list(&dp, &ruleset, json);
	ruleset_clear(&ruleset);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
