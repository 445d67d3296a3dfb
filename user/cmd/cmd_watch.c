// SPDX-License-Identifier: GPL-2.0-only
/* watch: what begins and ceases to listen, and what the outside sees change. */
#include <errno.h>
#include <getopt.h>

#include "cmd/command.h"
#include "host/netns.h"
#include "watch/port_watch.h"

#define WAIT_MILLISECONDS 100

struct options {
	struct notifier notifier;
	const char *netns;
	const char *iface;
};

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "exec", required_argument, NULL, 'e' },
		{ "on", required_argument, NULL, 'o' },
		{ "netns", required_argument, NULL, 'n' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "j", known, NULL)) != -1) {
		if (option == 'j')
			options->notifier.json = true;
		else if (option == 'e')
			options->notifier.hooks.program = optarg;
		else if (option == 'o')
			options->iface = optarg;
		else if (option == 'n')
			options->netns = optarg;
		else
			return -EINVAL;
	}
	return optind == argc ? 0 : -EINVAL;
}

static int watch_ports(struct options *options)
{
	static const bool all[PORT_EVENTS] = { true, true, true };
	struct port_watch *watch;
	int err = port_watch_open(&watch, options->iface, &options->notifier, all);

	while (!err && !notify_stopped) {
		hooks_reap(&options->notifier.hooks);
		err = port_watch_turn(watch, WAIT_MILLISECONDS);
		notify_lost(&options->notifier, 0, 0);
	}
	hooks_end(&options->notifier.hooks);
	port_watch_free(watch);
	return err;
}

int cmd_watch(const struct command *command, int argc, char **argv)
{
	struct options options = { 0 };
	int err;

	if (parse_options(argc, argv, &options))
		return command_usage(command);
	err = netns_enter(options.netns) ?: notify_begin(&options.notifier);
	err = err ?: watch_ports(&options);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
