/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration of knockd (knockd(1), version 0.8): parses it, and finds out which ports
 * its commands open or close for the source that knocked. Runs no command.
 */
#ifndef KNOCKD_H
#define KNOCKD_H

#include "portctl/knock.h"
#include "rules/ruleset.h"

/* The value of a directive. */
struct knockd_value {
	char *text; /* NULL: there is no such directive */
	unsigned int row; /* its line in the file, from 1 */
};

/* An event: a name in brackets, and the directives below it. */
struct knockd_event {
	char *name;
	unsigned int row;
	struct knockd_value sequence;
	struct knockd_value seq_timeout;
	struct knockd_value one_time_sequences;
	struct knockd_value tcpflags;
	struct knockd_value start_command; /* or "command" */
	struct knockd_value cmd_timeout;
	struct knockd_value stop_command;
};

struct knockd {
	struct knockd_event *events;
	size_t count;
	size_t room;
};

/*
 * Parses a configuration. Changes `text`; the strings of *knockd point into it, so it must
 * outlive *knockd. Returns 0 or -ENOMEM; free with knockd_clear() either way.
 */
int knockd_parse(char *text, struct knockd *knockd);
void knockd_clear(struct knockd *knockd);

/* What a command does to the firewall for the source that knocked. */
struct knockd_command {
	enum { KNOCKD_OPENS, KNOCKD_CLOSES } action;
	struct term terms[MAX_STEPS]; /* the ports */
	size_t count;
	char why[80]; /* room for a message that knockd_command() returns */
};

/*
 * Parses a command line of iptables, ip6tables, ufw or nft. Returns NULL; or, if no knock can
 * do what the command does, the reason, which is valid as long as *command.
 */
const char *knockd_command(const char *line, struct knockd_command *command);

/* Parses a sequence, "7000,8000:udp,...". Returns NULL, or what is wrong with it. */
const char *knockd_sequence(const char *text, struct sequence *sequence);

#endif
