/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each program of portctl does around its commands. "portctl" itself has all but
 * those whose library takes longer to load than most commands take: each of these is a
 * program of its own, in ../libexec/portctl from where portctl is, to which it hands over.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "cmd/command.h"

/* Before anything else in main(). Returns 0, or a negative errno having said why not. */
int program_begin(void);

/* After the command: what main() returns: `status`, but not 0 where output was not written. */
int program_end(int status);

/* The command of that name, or NULL after saying that there is none. */
const struct command *command_find(const char *name);

/*
 * Gives up the privileges that the command does not need, and calls `run`. argv is the
 * program's own: its name, the command's, and what is behind. Returns an exit code.
 */
int command_run(const struct command *command,
		int (*run)(const struct command *command, int argc, char **argv), int argc,
		char **argv);

/* Becomes the program that the command has of its own. Returns an exit code if it cannot. */
int command_hand_over(const struct command *command, char **argv);

/* All of main() of such a program. */
int program_of_one(const char *name,
		   int (*run)(const struct command *command, int argc, char **argv), int argc,
		   char **argv);

#endif
