// SPDX-License-Identifier: GPL-2.0-only
/* portctl: finds the command in the list, and runs it or prints its help. */
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "main/commands.h"
#include "main/program.h"

#define SUMMARY_COLUMN 12

static void print_all_commands(FILE *out)
{
	fputs("portctl: counts and filters packets by TCP and UDP port, in the kernel (XDP)\n\n"
	      "usage: portctl COMMAND ...\n\n",
	      out);
	for (size_t i = 0; commands[i]; i++)
		help_row(out, SUMMARY_COLUMN, commands[i]->name, commands[i]->summary);
	fputs("\n\"portctl help COMMAND\" shows more of one. To begin with:\n"
	      "  portctl attach eth0\n"
	      "  portctl stats -i 1\n",
	      out);
}

/* `words`, ended by NULL: nothing, a command, or a command and its verb. */
static int help(char **words)
{
	const struct command *command, *verb = NULL;

	if (!words[0]) {
		print_all_commands(stdout);
		return EXIT_DONE;
	}
	command = commands_find(words[0]);
	if (!command)
		return EXIT_USAGE;
	if (words[1])
		verb = command_verb(command, words[1]);
	command_print_help(verb ?: command, stdout);
	return EXIT_DONE;
}

static bool asks_for_help(const char *word)
{
	return word && (!strcmp(word, "--help") || !strcmp(word, "-h"));
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_all_commands(stderr);
		return EXIT_USAGE;
	}
	if (asks_for_help(argv[1]) || !strcmp(argv[1], "help"))
		return help(argv + 2);
	if (!strcmp(argv[1], "--version")) {
		puts("portctl " VERSION);
		return EXIT_DONE;
	}
	command = commands_find(argv[1]);
	if (!command)
		return EXIT_USAGE;
	if (asks_for_help(argv[2])) {
		command_print_help(command, stdout);
		return EXIT_DONE;
	}
	return command->run ? command_run(command, command->run, argc - 1, argv + 1)
			    : program_hand_over(command, argv);
}

int main(int argc, char **argv)
{
	return program_begin() ? EXIT_REFUSED : program_end(dispatch(argc, argv));
}
