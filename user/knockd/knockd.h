/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration of knockd (knockd(1), version 0.8), and what can be made of it: doors
 * for those events whose commands open ports for who knocked. Nothing is ever run.
 */
#ifndef KNOCKD_H
#define KNOCKD_H

#include "rules/ruleset.h"

/* A directive's value, and where it stands; NULL: it is not there. */
struct knockd_value {
	char *text;
	unsigned int row;
};

/* An event: what stands under "[name]". */
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
 * Reads a configuration. The strings of *knockd point into `text`, which is changed
 * and has to stay. Returns 0 or -ENOMEM; free with knockd_clear() either way.
 */
int knockd_parse(char *text, struct knockd *knockd);
void knockd_clear(struct knockd *knockd);

/* What a command does with the firewall for the address that knocked. */
struct knockd_command {
	enum { KNOCKD_OPENS, KNOCKD_CLOSES } action;
	struct term terms[MAX_STEPS];
	size_t count;
	char why[80]; /* what knockd_command() returns, where it has to be put together */
};

/*
 * Finds out what a command line of iptables, ip6tables, ufw or nft does. Returns NULL,
 * or why it cannot be turned into a door, which is good as long as *command.
 */
const char *knockd_command(const char *line, struct knockd_command *command);

/* Reads "7000,8000:udp,...". Returns NULL, or what is wrong with it. */
const char *knockd_sequence(const char *text, struct sequence *sequence);

#endif
