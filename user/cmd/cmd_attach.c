// SPDX-License-Identifier: GPL-2.0-only
/* attach: load the program on interfaces, or replace it there. */
#include <string.h>

#include "advise/lockout.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/show.h"
#include "kernel/datapath_rules.h"

struct attach {
	enum attach_mode mode;
	bool all;
	bool replace;
	bool force;
	bool json;
};

static int attach_parse_mode(void *values, const char *argument)
{
	static const char *const names[] = {
		[ATTACH_AUTO] = "auto",
		[ATTACH_NATIVE] = "native",
		[ATTACH_GENERIC] = "generic",
	};
	struct attach *attach = values;

	for (enum attach_mode mode = ATTACH_AUTO; mode <= ATTACH_GENERIC; mode++) {
		if (!strcmp(argument, names[mode])) {
			attach->mode = mode;
			return EXIT_DONE;
		}
	}
	return fail(EXIT_USAGE, "argv: --mode: found \"%s\", expected auto, native or generic",
		    argument);
}

static const struct cli_option attach_options[] = {
	{ "all", 'a', NULL,
	  "replace the program on all interfaces that are attached already, as after an update "
	  "of portctl",
	  CLI_FLAG(struct attach, all) },
	{ "mode", 'm', "auto|native|generic",
	  "native: run the program in the driver; generic: run it in the kernel's network "
	  "stack, which is slower, but works with every device; auto (default): native, or "
	  "generic if the driver has no XDP",
	  CLI_CALL(attach_parse_mode) },
	{ "replace", 'r', NULL,
	  "take the place of another XDP program; only root can if a BPF link holds that "
	  "program",
	  CLI_FLAG(struct attach, replace) },
	{ "force", 0, NULL,
	  "attach even if the running rules cut off connections that are open now",
	  CLI_FLAG(struct attach, force) },
	{ CLI_JSON(struct attach, json) },
	{ 0 },
};

/* The running rules may cut off a connection that comes in by this interface. */
static int attach_check_lockout(const struct datapath *dp, const char *name)
{
	cleanup_ruleset struct ruleset running;

	ruleset_init(&running);
	return datapath_rules_in_force(dp, &running)
		       ?: lockout_check_attach(dp, name, &running);
}

static void attach_print(const struct interface *iface, bool again, const struct attach *attach)
{
	if (!attach->json)
		printf("%s: %s, %s mode\n", iface->name,
		       again ? "program replaced" : "attached", iface->mode);
}

static int attach_one(struct datapath *dp, const char *name, const struct attach *attach)
{
	const struct interface *known = datapath_interface(dp, name);
	bool again = known;
	int err = 0;

	/*
	 * A device that is attached already is filtered already, maybe under another name:
	 * then datapath_attach() refuses it.
	 */
	if (!attach->force && !datapath_device(dp, name) &&
	    !(known && interface_renamed(known)))
		err = attach_check_lockout(dp, name);
	if (!err)
		err = datapath_attach(dp, name, attach->mode, attach->replace);
	if (!err)
		attach_print(datapath_interface(dp, name), again, attach);
	return err;
}

/* Tries all interfaces, even after a failure. */
static int attach_all(struct datapath *dp, const struct attach *attach)
{
	int failed = 0;

	for (size_t i = 0; i < dp->count; i++) {
		const struct interface *iface = &dp->interfaces[i];
		int err;

		if (interface_gone(iface))
			continue;
		err = datapath_update(dp, iface, attach->mode);
		if (!err)
			attach_print(iface, true, attach);
		failed = failed ?: err;
	}
	return failed;
}

static int attach_run(const struct command *command, int argc, char **argv)
{
	struct attach attach = { .mode = ATTACH_AUTO };
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	int err, status = command_parse(command, &argc, argv, &attach);

	if (status)
		return status;
	if (attach.all == (argc > 1))
		return command_usage(command);
	/* Only for --replace: the program that is there must be found by its ID. */
	err = attach.replace ? 0 : privileges_keep(~(CAPABILITY(SYS_ADMIN) | RUNS_PROGRAMS));
	err = err ?: datapath_open(&dp, DATAPATH_WRITE);
	if (!err && attach.all)
		err = attach_all(&dp, &attach);
	for (int i = 1; i < argc && !err; i++)
		err = attach_one(&dp, argv[i], &attach);
	if (!err && attach.json)
		err = show_status(&dp, true);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_attach_entry = {
	.name = "attach",
	.arguments = "IFACE...|--all",
	.summary = "Count and filter packets that arrive on an interface",
	.help = "Without rules all packets pass and are counted. If portctl is attached to the "
		"interface already, its program is replaced in place, and the counters are "
		"kept. A filter of tc(8) (clsact, priority 1) reads the packets that leave. An "
		"alternative name (altname) of an interface is refused.",
	.examples = "  portctl attach eth0\n"
		    "  portctl attach eth0 eth1 --mode native\n",
	.options = attach_options,
	.words = { 0, ANY_WORDS },
	.run = attach_run,
	.privileges = PRIVILEGES_CHANGE | CAPABILITY(SYS_ADMIN),
};
