// SPDX-License-Identifier: GPL-2.0-only
#include "main/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/privileges.h"

/* stdio's own buffer of 4 KiB would take thousands of system calls for long output. */
static char output[64 << 10];

/*
 * If the caller closed standard input, output or error, the next file that we open would get
 * its number, and output would be written to that file. /dev/null takes the number instead,
 * opened so that using it fails.
 */
static void fill_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

int program_begin(void)
{
	fill_descriptors();
	unsetenv("POSIXLY_CORRECT"); /* getopt() would take no option behind a word */
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, output, _IOFBF, sizeof(output));
	return privileges_check_origin();
}

int program_end(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fail(0, "cannot write the output");
	return status == EXIT_DONE ? EXIT_REFUSED : status;
}

/* PREFIX, if the program is PREFIX/sbin/portctl, or in another folder directly below PREFIX. */
static int own_prefix(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);

	if (length < 0)
		return -errno;
	for (int parts = 0; parts < 2 && length; length--)
		parts += path[length - 1] == '/';
	path[length] = 0;
	return 0;
}

int program_hand_over(const struct command *command, char **argv)
{
	char prefix[PATH_MAX], path[PATH_MAX + 64];
	int err = own_prefix(prefix);

	if (err) {
		fail(err, "cannot find the folder of portctl by /proc/self/exe: %s",
		     strerror(-err));
		return EXIT_REFUSED;
	}
	snprintf(path, sizeof(path), "%s/libexec/portctl/portctl-%s", prefix, command->name);
	execv(path, argv);
	if (errno == ENOENT)
		fail(-ENOENT, "there is no %s: install portctl as a whole", path);
	else
		fail(-errno, "cannot run %s: %s", path, strerror(errno));
	return EXIT_REFUSED;
}

int program_of_one(const struct command *command,
		   int (*run)(const struct command *command, int argc, char **argv), int argc,
		   char **argv)
{
	if (program_begin())
		return EXIT_REFUSED;
	if (argc < 2 || strcmp(argv[1], command->name)) {
		fail(0, "this is a part of portctl: use \"portctl %s\"", command->name);
		return EXIT_USAGE;
	}
	return program_end(command_run(command, run, argc - 1, argv + 1));
}
