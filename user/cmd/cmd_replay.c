// SPDX-License-Identifier: GPL-2.0-only
/* replay: judge the packets of a capture. The code is in main/main_replay.c. */
#include "cmd/programs.h"

#include "base/array.h"
#include "base/log.h"
#include "rules/prefix.h"

static int replay_add_local(void *values, const char *argument)
{
	struct replay_options *options = values;
	struct prefix prefix;
	char expected[128];

	if (prefix_parse(argument, &prefix, expected))
		return fail(EXIT_REFUSED, "argv: --local: found \"%s\", %s", argument,
			    expected);
	if (array_reserve(&options->local, &options->local_room, options->local_count,
			  sizeof(prefix))) {
		out_of_memory();
		return EXIT_REFUSED;
	}
	options->local[options->local_count++] = prefix;
	return EXIT_DONE;
}

static const struct cli_option replay_options[] = {
	{ "rules", 0, "FILE", "use the rules in FILE, not the running rules",
	  CLI_TEXT(struct replay_options, rules) },
	{ "on", 0, "IFACE",
	  "the packets arrive on IFACE; default: the first that is attached, if any is",
	  CLI_TEXT(struct replay_options, iface) },
	{ "local", 0, "PREFIX",
	  "packets from PREFIX leave the host, so replies to them pass; can be repeated",
	  CLI_CALL(replay_add_local) },
	{ CLI_JSON(struct replay_options, json) },
	{ 0 },
};

const struct command cmd_replay_entry = {
	.name = "replay",
	.arguments = "FILE [--rules FILE] [--on IFACE] [--local PREFIX]...",
	.summary = "Show what rules would have done to the packets of a capture",
	.help = "The data path judges every frame of FILE (pcap or pcapng; \"-\" is standard "
		"input) at the time of its capture, with maps of its own. Nothing is attached, "
		"and no running counter changes.",
	.examples = "  portctl replay yesterday.pcap --rules new.rules\n",
	.options = replay_options,
	.words = { 1, 1 },
	.privileges = PRIVILEGES_CHANGE | PRIVILEGES_FILES,
};
