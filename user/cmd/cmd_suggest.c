// SPDX-License-Identifier: GPL-2.0-only
/* suggest: print a first ruleset for this host. */
#include <errno.h>

#include "advise/suggest.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "host/netns.h"

struct suggest {
	const char *iface;
	const char *netns;
	bool json;
};

static const struct cli_option suggest_options[] = {
	{ "on", 0, "IFACE",
	  "look at packets that arrive on IFACE; default: on all attached interfaces",
	  CLI_TEXT(struct suggest, iface) },
	{ CLI_NETNS(struct suggest, netns) },
	{ CLI_JSON(struct suggest, json) },
	{ 0 },
};

/* {"ruleset": TEXT} */
static int suggest_json(const struct suggestion *suggestion)
{
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *object;
	int err;

	if (!out)
		return out_of_memory();
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

static int suggest_print(struct inventory *inventory, bool json)
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

static int suggest_run(const struct command *command, int argc, char **argv)
{
	struct suggest options = { 0 };
	struct inventory inventory;
	int status = command_parse(command, &argc, argv, &options);

	if (status)
		return status;
	if (netns_enter(options.netns))
		return EXIT_REFUSED;
	inventory = (struct inventory){ .iface = options.iface };
	return suggest_print(&inventory, options.json) ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_suggest_entry = {
	.name = "suggest",
	.arguments = "",
	.summary = "Print a first ruleset for this host",
	.help = "The ruleset drops by default. It allows the ports that listen for other hosts "
		"and had packets while portctl counted; the comment of each rule gives the "
		"reason. Running rules that do more than open ports are kept. Read the "
		"ruleset before you apply it.",
	.examples = "  portctl suggest >rules\n"
		    "  portctl check rules && portctl apply rules --confirm 60s\n",
	.options = suggest_options,
	.run = suggest_run,
	.privileges = PRIVILEGES_READ | PRIVILEGES_PROCESSES | PRIVILEGES_NAMESPACES,
};
