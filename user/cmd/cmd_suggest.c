// SPDX-License-Identifier: GPL-2.0-only
/* suggest: a ruleset for this host, to begin with. */
#include <errno.h>
#include <getopt.h>

#include "cmd/command.h"
#include "base/log.h"
#include "host/netns.h"
#include "advise/suggest.h"
#include "base/cleanup.h"
#include "base/utf8.h"

/* {"ruleset": TEXT} */
static int suggest_json(const struct suggestion *suggestion)
{
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *object;
	int err;

	if (!out)
		return fail(-ENOMEM, "out of memory");
	err = suggest(suggestion, out);
	fclose(out);
	if (err)
		return err;
	object = json_pack("{s:o}", "ruleset", text_json(text));
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
	return 0;
}

static int print_suggestion(struct inventory *inventory, bool json)
{
	struct connections connections = { 0 };
	struct suggestion suggestion = { inventory, &connections };
	int err = inventory_take(inventory);

	if (!err && connections_inbound(&connections))
		err = fail(-EIO, "the kernel does not list its sockets (sock_diag)");
	if (!err)
		err = json ? suggest_json(&suggestion) : suggest(&suggestion, stdout);
	free(connections.list);
	inventory_clear(inventory);
	return err;
}

int cmd_suggest(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "on", required_argument, NULL, 'o' },
		{ "netns", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct inventory inventory = { 0 };
	const char *netns = NULL;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == 'o')
			inventory.iface = optarg;
		else if (option == 'n')
			netns = optarg;
		else if (option == 'j')
			json = true;
		else
			return command_usage(command);
	}
	if (optind != argc)
		return command_usage(command);
	if (netns_enter(netns))
		return EXIT_REFUSED;
	return print_suggestion(&inventory, json) ? EXIT_REFUSED : EXIT_DONE;
}
