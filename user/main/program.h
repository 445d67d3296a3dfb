/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs. A few commands need a library that takes longer to load than most commands
 * take to run. Each of these commands is a program of its own, in ../libexec/portctl from the
 * folder of "portctl", which executes it. "portctl" itself has all other commands.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "cli/command.h"

/* Comes first in main(). Returns 0, or a negative errno with the error printed. */
int program_begin(void);

/*
 * Comes last: returns what main() is to return. That is `status`, or EXIT_REFUSED if the
 * status is 0 but the output could not be written.
 */
int program_end(int status);

/* Executes the command's own program. Returns an exit code if it cannot. */
int program_hand_over(const struct command *command, char **argv);

/* All of main() of such a program. `run` is the command's code. */
int program_of_one(const struct command *command,
		   int (*run)(const struct command *command, int argc, char **argv), int argc,
		   char **argv);

#endif
