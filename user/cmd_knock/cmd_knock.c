// SPDX-License-Identifier: GPL-2.0-only
/* knock: add a knock, or run one of the verbs. */
#include "cli/change.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cmd/cmd_rule.h"
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
	static const struct help_row rows[] = {
		{ "once", "the grant is for one connection" },
		{ "close STEP...", "these steps, in this order, end the grant at once" },
		{ "misses N", "an attempt may touch N wrong ports on its way (2)" },
		{ "per /64", "the grant of an IPv6 source is for its whole /64" },
		{ "skew TIME", "of spa: the sender's clock may be off by TIME (30s)" },
		{ "comment TEXT", "a remark, which is kept with the knock" },
		{ 0 },
	};

	(void)command;
	fputs("A CLAUSE, and \"once\", is one of:\n", out);
	help_rows(out, rows);
}

const struct command cmd_knock_entry = {
	.name = "knock",
	.arguments =
		"NAME opens PORTS for TIME [once] after STEP... within TIME [CLAUSE...]\n"
		"NAME spa PORT/udp keys FILE opens PORTS for TIME [CLAUSE...]\n"
		"NAME totp SECRETFILE steps N ports RANGE opens PORTS for TIME within TIME "
		"[CLAUSE...]",
	.summary = "Open ports to sources that knock at other ports first",
	.help = "A knock opens PORTS for TIME to a source that sends a packet to each STEP (a "
		"port, as in 7000/tcp), in this order and within TIME. To all other sources "
		"PORTS and the steps are shut. Connections that are open when the grant ends "
		"stay open.\n"
		"With spa, one signed datagram to PORT opens PORTS, if its sender has a key in "
		"FILE.\n"
		"With totp, N steps are made from a secret and the time, new ones every 30 "
		"seconds (RFC 6238). SECRETFILE holds what \"openssl rand -hex 32\" prints. "
		"Such a knock opens nothing unless \"portctl knock serve\" is running.",
	.more_help = knock_print_clauses,
	.examples =
		"  portctl knock a opens 22/tcp for 30s after 80/tcp 70/tcp 90/udp within 9s\n"
		"  portctl knock b spa 62201/udp keys /etc/portctl/keys opens 22/tcp for 1m\n",
	.options = change_options,
	.words = { 1, ANY_WORDS },
	.verbs = knock_verbs,
	.run = knock_run,
	.privileges = PRIVILEGES_CHANGE | PRIVILEGES_FILES,
};
