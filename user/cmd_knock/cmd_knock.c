// SPDX-License-Identifier: GPL-2.0-only
/* knock: add a knock, or run one of the verbs. */
#include "cli/change.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cmd/cmd_rule.h"
#include "rules/knock_clauses.h"
#include "rules/knock_verbs.h"

#define DECLARE(verb) extern const struct command knock_##verb##_entry;
#define ADDRESS(verb) &knock_##verb##_entry,

KNOCK_VERBS(DECLARE)

static const struct command *const knock_verbs[] = { KNOCK_VERBS(ADDRESS) NULL };

static int knock_run(const struct command *command, int argc, char **argv)
{
	const struct command *verb = argc > 1 ? command_verb(command, argv[1]) : NULL;

	if (verb)
		return command_run(verb, verb->run, argc - 1, argv + 1);
	return cmd_rule_run(command, argc, argv);
}

static void knock_print_clauses(const struct command *command, FILE *out)
{
	(void)command;
	fputs("Other kinds of knocks:\n", out);
	knock_describe_kinds(help_described, out);
	fputs("A CLAUSE is one of:\n", out);
	knock_describe_clauses(help_described, out);
}

const struct command cmd_knock_entry = {
	.name = "knock",
	.arguments = "NAME opens PORTS for TIME [once] after STEP... within TIME [CLAUSE...]\n"
		     "NAME spa PORT/udp keys FILE opens PORTS for TIME [CLAUSE...]\n"
		     "NAME totp FILE steps N ports RANGE opens PORTS for TIME within TIME "
		     "[CLAUSE...]",
	.summary = "Open ports to sources that knock at other ports first",
	.help = "A knock opens PORTS for TIME to a source that sends a packet to each STEP (a "
		"port, as in 7000/tcp), in this order and within TIME. To all other sources "
		"PORTS and the steps are shut. Connections that are open when the grant ends "
		"stay open.",
	.more_help = knock_print_clauses,
	.examples =
		"  portctl knock a opens 22/tcp for 30s after 70/tcp 90/udp 80/tcp within 9s\n"
		"  portctl knock b spa 62201/udp keys /etc/portctl/keys opens 22/tcp for 1m\n",
	.options = change_options,
	.words = { 1, ANY_WORDS },
	.verbs = knock_verbs,
	.run = knock_run,
	.privileges = PRIVILEGES_CHANGE | PRIVILEGES_FILES,
};
