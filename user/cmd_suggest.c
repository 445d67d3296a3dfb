// SPDX-License-Identifier: GPL-2.0-only
/* suggest: a ruleset for this host, to begin with. */
#include <errno.h>
#include <getopt.h>

#include "command.h"
#include "log.h"
#include "netns.h"
#include "suggest.h"
#include "util.h"

static int print_suggestion(struct inventory *inventory)
{
	struct connections connections = { 0 };
	struct suggestion suggestion = { inventory, &connections };
	int err = inventory_take(inventory);

	if (!err && connections_inbound(&connections))
		err = fail(-EIO, "the kernel does not list its sockets (sock_diag)");
	if (!err)
		suggest(&suggestion, stdout);
	free(connections.list);
	inventory_clear(inventory);
	return err;
}

int cmd_suggest(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "on", required_argument, NULL, 'o' },
		{ "netns", required_argument, NULL, 'n' },
		{ 0 },
	};
	struct inventory inventory = { 0 };
	const char *netns = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o')
			inventory.iface = optarg;
		else if (option == 'n')
			netns = optarg;
		else
			return usage(command);
	}
	if (optind != argc)
		return usage(command);
	if (netns && netns_enter(netns))
		return EXIT_REFUSED;
	return print_suggestion(&inventory) ? EXIT_REFUSED : EXIT_DONE;
}
