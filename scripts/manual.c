// SPDX-License-Identifier: GPL-2.0-only
/* The commands' part of the manual, from their table: mdoc. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "main/commands.h"
#include "base/array.h"
#include "base/privileges.h"

/* As it is, whatever mdoc would make of it. */
static void print_literal(const char *text)
{
	bool begins = true;

	for (; *text; text++) {
		if (begins && (*text == '.' || *text == '\''))
			fputs("\\&", stdout);
		begins = *text == '\n';
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
}

/* Of what a command keeps, those that there are. */
static void print_privileges(__u64 privileges)
{
	static const struct {
		__u64 privilege;
		const char *name;
	} names[] = {
		{ CAPABILITY(BPF), "CAP_BPF" },
		{ CAPABILITY(NET_ADMIN), "CAP_NET_ADMIN" },
		{ CAPABILITY(PERFMON), "CAP_PERFMON" },
		{ CAPABILITY(DAC_OVERRIDE), "CAP_DAC_OVERRIDE" },
		{ CAPABILITY(DAC_READ_SEARCH), "CAP_DAC_READ_SEARCH" },
		{ CAPABILITY(SYS_PTRACE), "CAP_SYS_PTRACE" },
		{ CAPABILITY(SYS_ADMIN), "CAP_SYS_ADMIN" },
		{ CAPABILITY(NET_BIND_SERVICE), "CAP_NET_BIND_SERVICE" },
		{ CAPABILITY(SETUID), "CAP_SETUID" },
		{ CAPABILITY(SETGID), "CAP_SETGID" },
		{ CAPABILITY(SETPCAP), "CAP_SETPCAP" },
	};
	const char *before = "Of privileges it keeps at most ";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(privileges & names[i].privilege))
			continue;
		printf("%s%s", before, names[i].name);
		before = ",\n";
		privileges &= ~names[i].privilege;
	}
	puts(*before == ',' ? "." : "It keeps no privileges.");
	if (privileges & ~RUNS_PROGRAMS)
		exit(1); /* one without a name */
}

static void print_commands(void)
{
	for (size_t i = 0; commands[i]; i++) {
		const struct command *command = commands[i];

		printf(".Ss portctl %s\n", command->name);
		puts(".Bd -literal -compact");
		printf("portctl %s ", command->name);
		print_literal(command->arguments);
		puts("\n.Ed\n.Pp");
		printf("%c%s.\n", toupper(command->summary[0]), command->summary + 1);
		print_privileges(command->privileges);
		if (!command->help)
			continue;
		puts(".Bd -literal");
		print_literal(command->help);
		puts(".Ed");
	}
}

int main(void)
{
	print_commands();
	return fflush(stdout) || ferror(stdout);
}
