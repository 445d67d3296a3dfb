// SPDX-License-Identifier: GPL-2.0-only
/* confirm and rollback: what becomes of a change. */
#include <getopt.h>

#include "cmd/command.h"
#include "advise/lockout.h"
#include "kernel/datapath_rules.h"

static int decide(bool json, int (*decision)(struct datapath *dp), const char *done)
{
	struct datapath dp;
	int err = datapath_open(&dp, DATAPATH_WRITE);

	if (!err)
		err = decision(&dp);
	if (!err && json)
		err = show_status(&dp, true);
	else if (!err)
		puts(done);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

int cmd_confirm(const struct command *command, int argc, char **argv)
{
	bool json;

	if (parse_json(argc, argv, &json) != 1)
		return command_usage(command);
	return decide(json, datapath_confirm, "confirmed");
}

/* The rules before may shut out who came since. */
static int guard(const struct datapath *dp)
{
	struct ruleset running, before;
	int err;

	ruleset_init(&running);
	ruleset_init(&before);
	err = datapath_rules_in_force(dp, &running) ?: datapath_rules_before(dp, &before);
	if (!err)
		err = lockout_check(dp, &running, &before, "insist with --force");
	ruleset_clear(&running);
	ruleset_clear(&before);
	return err;
}

static int roll_back(struct datapath *dp)
{
	return datapath_rollback(dp, guard);
}

static int roll_back_forced(struct datapath *dp)
{
	return datapath_rollback(dp, NULL);
}

int cmd_rollback(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "force", no_argument, NULL, 'f' },
		{ 0 },
	};
	bool json = false, force = false;
	int option;

	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == 'j')
			json = true;
		else if (option == 'f')
			force = true;
		else
			return command_usage(command);
	}
	if (optind < argc)
		return command_usage(command);
	return decide(json, force ? roll_back_forced : roll_back, "rolled back");
}
