// SPDX-License-Identifier: GPL-2.0-only
/* Finds the command in the table and runs it, or says what it is. */
#include <stdio.h>
#include <string.h>

#include "cmd/program.h"

static void print_help(FILE *out)
{
	fputs("portctl: counts and filters packets by TCP and UDP port, in the kernel (XDP)\n\n"
	      "usage: portctl COMMAND ...\n\n",
	      out);
	for (size_t i = 0; i < command_count; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\n\"portctl help COMMAND\" says more of one. Two to begin with:\n"
	      "  portctl attach eth0\n"
	      "  portctl stats -i 1\n",
	      out);
}

static int help(const char *name)
{
	const struct command *command;

	if (!name) {
		print_help(stdout);
		return EXIT_DONE;
	}
	command = command_find(name);
	if (!command)
		return EXIT_USAGE;
	printf("portctl %s: %s\n\nusage: portctl %s %s\n", command->name, command->summary,
	       command->name, command->arguments);
	if (command->help)
		printf("\n%s", command->help);
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
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (asks_for_help(argv[1]) || !strcmp(argv[1], "help"))
		return help(argv[2]);
	if (!strcmp(argv[1], "--version")) {
		puts("portctl " VERSION);
		return EXIT_DONE;
	}
	command = command_find(argv[1]);
	if (!command)
		return EXIT_USAGE;
	if (asks_for_help(argv[2]))
		return help(command->name);
	return command->run ? command_run(command, command->run, argc, argv)
			    : command_hand_over(command, argv);
}

int main(int argc, char **argv)
{
	return program_begin() ? EXIT_REFUSED : program_end(dispatch(argc, argv));
}
