/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands that are programs of their own (main/program.h). Their entries are here in
 * user/cmd, so that "portctl" has their help; their code is in user/main/main_NAME.c. That
 * program parses the options, by the entry's table, into the struct given here.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "cli/command.h"
#include "rules/ruleset.h"

struct export_options {
	const char *listen; /* "ADDRESS:PORT" */
	unsigned long max_ports;
};

struct replay_options {
	const char *rules; /* a file; NULL: the running rules */
	const char *iface; /* NULL: the first that is attached, if any is */
	struct prefix *local; /* packets from these addresses leave; to be freed */
	size_t local_count;
	size_t local_room;
	bool json;
};

struct top_options {
	unsigned long interval; /* seconds */
};

extern const struct command cmd_export_entry, cmd_replay_entry, cmd_top_entry;

#endif
