// SPDX-License-Identifier: GPL-2.0-only
/* confirm and rollback: keep or undo a change. */
#include "advise/lockout.h"
#include "cli/command.h"
#include "cli/show.h"
#include "kernel/datapath_rules.h"

static int decide(int (*decision)(struct datapath *dp), const char *done, bool json)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	int err = datapath_open(&dp, DATAPATH_WRITE) ?: decision(&dp);

	if (!err && json)
		err = show_status(&dp, true);
	else if (!err)
		puts(done);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

static int confirm_run(const struct command *command, int argc, char **argv)
{
	bool json = false;
	int status = command_parse(command, &argc, argv, &json);

	return status ?: decide(datapath_confirm, "confirmed", json);
}

const struct command cmd_confirm_entry = {
	.name = "confirm",
	.arguments = "",
	.summary = "Keep the change that waits to be confirmed",
	.options = options_json,
	.run = confirm_run,
	.privileges = PRIVILEGES_READ,
};

struct rollback {
	bool force;
	bool json;
};

static const struct cli_option rollback_options[] = {
	{ "force", 0, NULL, "roll back even if that cuts off connections that are open now",
	  CLI_FLAG(struct rollback, force) },
	{ CLI_JSON(struct rollback, json) },
	{ 0 },
};

/* The rules before the running ones may cut off a connection that was opened since. */
static int rollback_check_lockout(const struct datapath *dp)
{
	cleanup_ruleset struct ruleset running, before;

	ruleset_init(&running);
	ruleset_init(&before);
	return datapath_rules_in_force(dp, &running)
		       ?: datapath_rules_before(dp, &before)
		       ?: lockout_check(dp, &running, &before, "insist with --force");
}

static int roll_back(struct datapath *dp)
{
	return datapath_rollback(dp, rollback_check_lockout);
}

static int roll_back_forced(struct datapath *dp)
{
	return datapath_rollback(dp, NULL);
}

static int rollback_run(const struct command *command, int argc, char **argv)
{
	struct rollback rollback = { 0 };
	int status = command_parse(command, &argc, argv, &rollback);

	return status
		       ?: decide(rollback.force ? roll_back_forced : roll_back, "rolled back",
				 rollback.json);
}

const struct command cmd_rollback_entry = {
	.name = "rollback",
	.arguments = "",
	.summary = "Return to the rules before the running ones",
	.help = "A second rollback undoes the first. A change that waits to be confirmed is "
		"undone even if that cuts off open connections.",
	.options = rollback_options,
	.run = rollback_run,
	.privileges = PRIVILEGES_READ,
};
