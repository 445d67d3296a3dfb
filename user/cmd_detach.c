// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>

#include "command.h"

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

int cmd_detach(const struct command *command, int argc, char **argv)
{
	struct options options = { 0 };
	struct datapath dp;
	int err;

	if (parse_options(argc, argv, &options))
		return usage(command);
	err = datapath_open(&dp, DATAPATH_WRITE);
	if (!err && options.all)
		err = detach_all(&dp, &options);
	for (int i = optind; i < argc && !err; i++)
		err = detach_one(&dp, argv[i], &options);
	if (!err && options.json)
		err = print_status(&dp, true);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
