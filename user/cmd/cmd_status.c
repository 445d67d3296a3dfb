// SPDX-License-Identifier: GPL-2.0-only
/* status: the attached interfaces and the state of the rules. */
#include "cli/command.h"
#include "cli/show.h"
#include "kernel/datapath.h"

static int status_run(const struct command *command, int argc, char **argv)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	bool json = false;
	int err, status = command_parse(command, &argc, argv, &json);

	if (status)
		return status;
	err = datapath_open(&dp, DATAPATH_READ) ?: show_status(&dp, json);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_status_entry = {
	.name = "status",
	.arguments = "",
	.summary = "Show the attached interfaces and the state of the rules",
	.options = options_json,
	.run = status_run,
	.privileges = PRIVILEGES_READ | PRIVILEGES_FILES,
};
