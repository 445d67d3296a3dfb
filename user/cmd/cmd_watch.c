// SPDX-License-Identifier: GPL-2.0-only
/* watch: report when a program starts or stops listening, and when a port's state changes. */
#include "cli/command.h"
#include "host/netns.h"
#include "watch/port_watch.h"

#define WAIT_MILLISECONDS 100

struct watch {
	const char *program;
	const char *iface;
	const char *netns;
	bool json;
};

static const struct cli_option watch_options[] = {
	{ "exec", 0, "PROGRAM",
	  "run PROGRAM for each event, as \"portctl monitor --exec\" does",
	  CLI_TEXT(struct watch, program) },
	{ "on", 0, "IFACE",
	  "look at packets that arrive on IFACE; default: on all attached interfaces",
	  CLI_TEXT(struct watch, iface) },
	{ CLI_NETNS(struct watch, netns) },
	{ CLI_JSON(struct watch, json) },
	{ 0 },
};

static int watch_ports(struct notifier *notifier, const char *iface)
{
	static const bool all[PORT_EVENTS] = { true, true, true };
	struct port_watch *watch;
	int err = port_watch_open(&watch, iface, notifier, all);

	while (!err && !notify_stopped) {
		hooks_reap(&notifier->hooks);
		err = port_watch_turn(watch, WAIT_MILLISECONDS);
		notify_lost(notifier, 0, 0);
	}
	hooks_end(&notifier->hooks);
	port_watch_free(watch);
	return err;
}

static int watch_run(const struct command *command, int argc, char **argv)
{
	struct watch watch = { 0 };
	struct notifier notifier;
	int err, status = command_parse(command, &argc, argv, &watch);

	if (status)
		return status;
	notifier = (struct notifier){ .json = watch.json, .hooks.program = watch.program };
	err = netns_enter(watch.netns) ?: notify_begin(&notifier) ?: watch_ports(&notifier, watch.iface);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_watch_entry = {
	.name = "watch",
	.arguments = "",
	.summary = "Report when a port starts or stops listening or changes its state",
	.help = "The events are: listen and gone, of a socket, with its program; and state, of a "
		"port, as \"portctl ports\" names it. If portctl is attached, \"portctl "
		"monitor\" reports them too. The kernel reports sockets as they change. If it "
		"cannot, portctl polls for changes, and prints a note.",
	.options = watch_options,
	.run = watch_run,
	.privileges = PRIVILEGES_CHANGE | PRIVILEGES_PROCESSES | PRIVILEGES_NAMESPACES |
		      RUNS_PROGRAMS,
};
