// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <string.h>

#include "cmd/command.h"
#include "advise/lockout.h"
#include "base/log.h"
#include "base/privileges.h"
#include "kernel/datapath_rules.h"

struct options {
	enum attach_mode mode;
	bool all;
	bool replace;
	bool force;
	bool json;
};

static int parse_mode(const char *text, enum attach_mode *mode)
{
	static const char *const names[] = {
		[ATTACH_AUTO] = "auto",
		[ATTACH_NATIVE] = "native",
		[ATTACH_GENERIC] = "generic",
	};

	for (enum attach_mode m = ATTACH_AUTO; m <= ATTACH_GENERIC; m++) {
		if (!strcmp(text, names[m])) {
			*mode = m;
			return 0;
		}
	}
	return fail(-1, "--mode: found \"%s\", expected auto, native or generic", text);
}

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "all", no_argument, NULL, 'a' },     { "mode", required_argument, NULL, 'm' },
		{ "replace", no_argument, NULL, 'r' }, { "force", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },    { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "am:rj", known, NULL)) != -1) {
		if (option == 'a')
			options->all = true;
		else if (option == 'r')
			options->replace = true;
		else if (option == 'f')
			options->force = true;
		else if (option == 'j')
			options->json = true;
		else if (option != 'm' || parse_mode(optarg, &options->mode))
			return -1;
	}
	return options->all == (optind < argc) ? -1 : 0;
}

/* Rules that run already may shut out whoever comes in by another interface. */
static int guard(const struct datapath *dp, const char *name)
{
	struct ruleset running;
	int err;

	ruleset_init(&running);
	err = datapath_rules_in_force(dp, &running) ?: lockout_check_attach(dp, name, &running);
	ruleset_clear(&running);
	return err;
}

static void tell(const struct interface *iface, bool again, const struct options *options)
{
	if (!options->json)
		printf("%s: %s, %s mode\n", iface->name,
		       again ? "program replaced" : "attached", iface->mode);
}

static int attach_one(struct datapath *dp, const char *name, const struct options *options)
{
	const struct interface *known = datapath_interface(dp, name);
	bool again = known;
	int err = 0;

	/* Not where it is filtered already, if under another name: that is said then. */
	if (!options->force && !datapath_device(dp, name) &&
	    !(known && interface_renamed(known)))
		err = guard(dp, name);
	if (!err)
		err = datapath_attach(dp, name, options->mode, options->replace);
	if (!err)
		tell(datapath_interface(dp, name), again, options);
	return err;
}

/* One that cannot be replaced does not keep the others from it. */
static int attach_all(struct datapath *dp, const struct options *options)
{
	int failed = 0;

	for (size_t i = 0; i < dp->count; i++) {
		const struct interface *iface = &dp->interfaces[i];
		int err;

		if (interface_gone(iface))
			continue;
		err = datapath_update(dp, iface, options->mode);
		if (!err)
			tell(iface, true, options);
		failed = failed ?: err;
	}
	return failed;
}

int cmd_attach(const struct command *command, int argc, char **argv)
{
	struct options options = { .mode = ATTACH_AUTO };
	struct datapath dp = { .lock = -1 };
	int err;

	if (parse_options(argc, argv, &options))
		return command_usage(command);
	/* Only another's program has to be found by its number. */
	err = options.replace ? 0 : privileges_keep(~(CAPABILITY(SYS_ADMIN) | RUNS_PROGRAMS));
	err = err ?: datapath_open(&dp, DATAPATH_WRITE);
	if (!err && options.all)
		err = attach_all(&dp, &options);
	for (int i = optind; i < argc && !err; i++)
		err = attach_one(&dp, argv[i], &options);
	if (!err && options.json)
		err = show_status(&dp, true);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
