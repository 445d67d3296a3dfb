/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command: its name, usage, help, options, privileges and code in one entry, which stands
 * in the command's own file. user/main/commands.c lists the entries. Usage, help, the manual
 * and the completions are made from the entries.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <limits.h>

#include "base/privileges.h"
#include "cli/options.h"

/*
 * Which of root's privileges a command keeps; it gives up the others before it runs. Locks
 * and pins belong to the user who runs portctl, and need no privilege.
 */
#define PRIVILEGES_NONE 0
#define PRIVILEGES_READ CAPABILITY(BPF) /* read maps */
#define PRIVILEGES_CHANGE CAPABILITIES_DATAPATH /* load programs, attach, write maps */
#define PRIVILEGES_FILES CAPABILITY(DAC_READ_SEARCH) /* read rules that others own */
/* Find the process that a socket belongs to. */
#define PRIVILEGES_PROCESSES (CAPABILITY(SYS_PTRACE) | CAPABILITY(DAC_READ_SEARCH))
/* Enter another network namespace, for --netns; given up after that. */
#define PRIVILEGES_NAMESPACES CAPABILITY(SYS_ADMIN)

struct command {
	const char *name; /* of a verb of another command, both words: "knock send" */
	const char *arguments; /* usage without the options; a newline separates forms */
	const char *summary; /* one line in the imperative, without a full stop */
	const char *help; /* as help_text() prints it; or NULL */
	/* Prints further rows of help, taken from other tables; or NULL. */
	void (*more_help)(const struct command *command, FILE *out);
	const char *examples; /* whole lines, each with a newline; or NULL */
	const struct cli_option *options; /* NULL: it has none, and "-x" is an ordinary word */
	struct {
		int min;
		int max;
	} words; /* how many words it takes beside the options */
	const struct command *const *verbs; /* its sub-commands, ended by NULL; or NULL */
	/* Returns an exit code. NULL: it is a program of its own, see main/program.h. */
	int (*run)(const struct command *command, int argc, char **argv);
	__u64 privileges; /* that it keeps: CAPABILITY() and RUNS_PROGRAMS */
};

#define ANY_WORDS INT_MAX

/*
 * Takes the options out of argv into *values and checks the number of words left: *argc,
 * minus one for argv[0]. Returns EXIT_DONE; or an exit code, with the error printed.
 */
int command_parse(const struct command *command, int *argc, char **argv, void *values);

/* Prints the command's usage on standard error. Returns EXIT_USAGE. */
int command_usage(const struct command *command);

/* Prints the forms of a command, verbs not included, one a line, as in "portctl list [-j]". */
void command_print_forms(const struct command *command, const char *before, FILE *out);

/* Prints the summary, usage and help of a command. */
void command_print_help(const struct command *command, FILE *out);

/* The verb of that name, as in "send" of "knock send"; NULL if the command has none. */
const struct command *command_verb(const struct command *command, const char *name);

/*
 * Gives up the privileges that the command does not need, and calls `run`. argv[0] is any
 * word; error messages of getopt(3) will name the command instead. Returns an exit code.
 */
int command_run(const struct command *command,
		int (*run)(const struct command *command, int argc, char **argv), int argc,
		char **argv);

#endif
