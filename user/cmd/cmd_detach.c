// SPDX-License-Identifier: GPL-2.0-only
/* detach: stop counting and filtering. */
#include "base/log.h"
#include "cli/command.h"
#include "cli/show.h"
#include "compile/ruleset_diff.h"
#include "kernel/datapath_rules.h"
#include "state/saved.h"

struct detach {
	bool all;
	bool json;
};

static const struct cli_option detach_options[] = {
	{ "all", 'a', NULL, "detach from all interfaces", CLI_FLAG(struct detach, all) },
	{ CLI_JSON(struct detach, json) },
	{ 0 },
};

static int detach_one(struct datapath *dp, const char *name, bool json)
{
	int err = datapath_detach(dp, name);

	if (!err && !json)
		printf("%s: detached\n", name);
	return err;
}

static int detach_all(struct datapath *dp, bool json)
{
	char name[IFNAMSIZ];
	int err = 0;

	while (dp->count && !err) {
		snprintf(name, sizeof(name), "%s", dp->interfaces[0].name);
		err = detach_one(dp, name, json);
	}
	return err ?: datapath_remove(dp);
}

/* Detaching from the last interface removed the running rules. */
static void detach_note_lost(const struct ruleset *rules)
{
	cleanup_ruleset struct ruleset none;

	ruleset_init(&none);
	if (ruleset_diff(&none, rules, NULL, NULL) && !saved_is_current(rules))
		note("the running rules were removed with the last interface, and were not saved");
}

static int detach_run(const struct command *command, int argc, char **argv)
{
	struct detach detach = { 0 };
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset rules;
	int err, status = command_parse(command, &argc, argv, &detach);

	ruleset_init(&rules);
	if (status)
		return status;
	if (detach.all == (argc > 1))
		return command_usage(command);
	err = datapath_open(&dp, DATAPATH_WRITE);
	if (!err) /* Detaches even if the rules cannot be read. */
		datapath_rules_in_force(&dp, &rules);
	if (!err && detach.all)
		err = detach_all(&dp, detach.json);
	for (int i = 1; i < argc && !err; i++)
		err = detach_one(&dp, argv[i], detach.json);
	if (!err && !dp.count)
		detach_note_lost(&rules);
	if (!err && detach.json)
		err = show_status(&dp, true);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_detach_entry = {
	.name = "detach",
	.arguments = "IFACE...|--all",
	.summary = "Stop counting and filtering",
	.help = "Detaching from the last interface removes the running rules: save them first.",
	.options = detach_options,
	.words = { 0, ANY_WORDS },
	.run = detach_run,
	.privileges = PRIVILEGES_CHANGE,
};
