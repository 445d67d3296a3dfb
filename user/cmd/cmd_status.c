// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/command.h"
#include "kernel/datapath.h"

int cmd_status(const struct command *command, int argc, char **argv)
{
	struct datapath dp;
	bool json;
	int err;

	if (parse_json(argc, argv, &json) != 1)
		return command_usage(command);
	err = datapath_open(&dp, DATAPATH_READ) ?: show_status(&dp, json);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
