// SPDX-License-Identifier: GPL-2.0-only
/* confirm and rollback: what becomes of a change. */
#include "command.h"

static int decide(const struct command *command, int argc, char **argv,
		  int (*decision)(struct datapath *dp), const char *done)
{
	struct datapath dp;
	bool json;
	int err;

	if (options_json(argc, argv, &json) != 1)
		return usage(command);
	err = datapath_open(&dp, DATAPATH_WRITE);
	if (!err)
		err = decision(&dp);
	if (!err && json)
		err = print_status(&dp, true);
	else if (!err)
		puts(done);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

int cmd_confirm(const struct command *command, int argc, char **argv)
{
	return decide(command, argc, argv, datapath_confirm, "confirmed");
}

int cmd_rollback(const struct command *command, int argc, char **argv)
{
	return decide(command, argc, argv, datapath_rollback, "rolled back");
}
