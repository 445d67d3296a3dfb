// SPDX-License-Identifier: GPL-2.0-only
/* Finds the command in the table and runs it, or says what it is. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "privileges.h"

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

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < command_count; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	fail(0, "there is no command \"%s\": \"portctl help\" lists them", name);
	return NULL;
}

static int help(const char *name)
{
	const struct command *command;

	if (!name) {
		print_help(stdout);
		return EXIT_DONE;
	}
	command = find_command(name);
	if (!command)
		return EXIT_USAGE;
	printf("portctl %s: %s\n\nusage: portctl %s %s\n", command->name, command->summary,
	       command->name, command->arguments);
	if (command->help)
		printf("\n%s", command->help);
	return EXIT_DONE;
}

/* Whoever began us without one of the three would have a file of ours take its place. */
static void fill_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

static int give_up(const struct command *command)
{
	int err = privileges_keep(command->privileges);

	return err ? fail(err, "cannot give up privileges: %s", strerror(-err)) : 0;
}

static bool asks_for_help(const char *word)
{
	return word && (!strcmp(word, "--help") || !strcmp(word, "-h"));
}

static int run_command(const struct command *command, int argc, char **argv)
{
	char name[32]; /* what getopt calls us in its messages */

	if (give_up(command))
		return EXIT_REFUSED;
	snprintf(name, sizeof(name), "portctl %s", command->name);
	argv[1] = name;
	return command->run(command, argc - 1, argv + 1);
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
	command = find_command(argv[1]);
	if (!command)
		return EXIT_USAGE;
	return asks_for_help(argv[2]) ? help(command->name) : run_command(command, argc, argv);
}

int main(int argc, char **argv)
{
	int status;

	fill_descriptors();
	unsetenv("POSIXLY_CORRECT"); /* getopt() would take no option behind a word */
	if (privileges_check_origin())
		return EXIT_REFUSED;
	status = dispatch(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && status == EXIT_DONE) {
		fail(0, "cannot write the output");
		return EXIT_REFUSED;
	}
	return status;
}
