// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>

#include "cmd/command.h"
#include "base/log.h"
#include "compile/ruleset_diff.h"
#include "kernel/datapath_rules.h"
#include "state/saved.h"

struct options {
	bool all;
	bool json;
};

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "aj", known, NULL)) != -1) {
		if (option == 'a')
			options->all = true;
		else if (option == 'j')
			options->json = true;
		else
			return -1;
	}
	return options->all == (optind == argc) ? 0 : -1;
}

static int detach_one(struct datapath *dp, const char *name, const struct options *options)
{
	int err = datapath_detach(dp, name);

	if (!err && !options->json)
		printf("%s: detached\n", name);
	return err;
}

static int detach_all(struct datapath *dp, const struct options *options)
{
	char name[IFNAMSIZ];
	int err = 0;

	while (dp->count && !err) {
		snprintf(name, sizeof(name), "%s", dp->interfaces[0].name);
		err = detach_one(dp, name, options);
	}
	return err ?: datapath_remove(dp);
}

static int detach(struct datapath *dp, int count, char **names, const struct options *options)
{
	int err = options->all ? detach_all(dp, options) : 0;

	for (int i = 0; i < count && !err; i++)
		err = detach_one(dp, names[i], options);
	return err;
}

/* The rules that ran went with the last interface. */
static void tell_of_lost(const struct ruleset *rules)
{
	struct ruleset none;

	ruleset_init(&none);
	if (ruleset_diff(&none, rules, NULL, NULL) && !saved_is_current(rules))
		note("the running rules went with the last interface, and were not saved");
	ruleset_clear(&none);
}

int cmd_detach(const struct command *command, int argc, char **argv)
{
	struct options options = { 0 };
	struct ruleset rules;
	struct datapath dp;
	int err;

	if (parse_options(argc, argv, &options))
		return command_usage(command);
	ruleset_init(&rules);
	err = datapath_open(&dp, DATAPATH_WRITE);
	/* Rules that cannot be read are no reason to go on filtering. */
	if (!err)
		datapath_rules_in_force(&dp, &rules);
	if (!err)
		err = detach(&dp, argc - optind, argv + optind, &options);
	if (!err && !dp.count)
		tell_of_lost(&rules);
	if (!err && options.json)
		err = show_status(&dp, true);
	datapath_close(&dp);
	ruleset_clear(&rules);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
