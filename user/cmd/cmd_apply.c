// SPDX-License-Identifier: GPL-2.0-only
/* apply: make a file the running ruleset. */
#include "base/log.h"
#include "cli/change.h"
#include "cli/command.h"
#include "cli/rules_file.h"
#include "cli/show.h"
#include "kernel/datapath.h"

static int apply_run(const struct command *command, int argc, char **argv)
{
	struct change change = { 0 };
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset next;
	int err, status = command_parse(command, &argc, argv, &change);

	ruleset_init(&next);
	if (status)
		return status;
	err = rules_file_read(argv[1], &next) ?: datapath_open(&dp, DATAPATH_WRITE)
					      ?: change_commit_file(&dp, &next, &change);
	if (err)
		return EXIT_REFUSED;
	if (!dp.count)
		note("portctl is attached to no interface: portctl attach IFACE");
	if (change.json)
		return show_list(&dp, &next, true) ? EXIT_REFUSED : EXIT_DONE;
	printf("%zu rule%s applied, default %s\n", next.count, next.count == 1 ? "" : "s",
	       action_name(next.fallback));
	return EXIT_DONE;
}

const struct command cmd_apply_entry = {
	.name = "apply",
	.arguments = "FILE",
	.summary = "Replace the running rules by those of a file",
	.help = "All rules change at the same moment, and none do if there is an error in FILE. "
		"Rules that stay the same keep their counters. FILE can be \"-\", which is "
		"standard input.",
	.examples = "  portctl check rules && portctl apply rules --confirm 60s\n",
	.options = change_options,
	.words = { 1, 1 },
	.run = apply_run,
	.privileges = PRIVILEGES_CHANGE | PRIVILEGES_FILES,
};
