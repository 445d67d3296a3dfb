// SPDX-License-Identifier: GPL-2.0-only
/* Prints the part of portctl(8) that describes the commands, as mdoc(7), from their entries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/privileges.h"
#include "main/commands.h"

/* Prints text so that mdoc shows it as it is. */
static void print_escaped(const char *text, const char *end)
{
	bool line_begins = true;

	for (; text < end; text++) {
		if (line_begins && (*text == '.' || *text == '\''))
			fputs("\\&", stdout);
		line_begins = *text == '\n';
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
}

/* Prints text to be filled. mandoc(1) wants short lines, and one for each sentence. */
static void print_filled(const char *text, const char *end)
{
	size_t column = 0;

	while (text < end) {
		const char *blank = memchr(text, ' ', end - text) ?: end;

		if (column && column + (blank - text) > 75) {
			putchar('\n');
			column = 0;
		} else if (column) {
			putchar(' ');
		}
		print_escaped(text, blank);
		column += blank - text + 1;
		if (blank[-1] == '.' && blank < end) {
			putchar('\n');
			column = 0;
		}
		text = blank + 1;
	}
	putchar('\n');
}

static void print_literal(const char *text)
{
	puts(".Bd -literal");
	print_escaped(text, strchr(text, 0));
	puts(".Ed");
}

/* The same text as help_text() prints. */
static void print_paragraphs(const char *text)
{
	bool literal = false;

	while (*text) {
		const char *end = strchrnul(text, '\n');

		if (literal != (*text == ' '))
			puts(literal ? ".Ed" : ".Bd -literal");
		else if (!literal)
			puts(".Pp");
		literal = *text == ' ';
		if (literal)
			print_escaped(text, end);
		else
			print_filled(text, end);
		if (literal)
			putchar('\n');
		text = *end ? end + 1 : end;
	}
	if (literal)
		puts(".Ed");
}

/* Prints the names of the privileges that a command keeps. Fails if one has no name here. */
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
	const char *before = "Privileges: ";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(privileges & names[i].privilege))
			continue;
		printf("%s%s", before, names[i].name);
		before = ",\n";
		privileges &= ~names[i].privilege;
	}
	puts(*before == ',' ? "." : "Privileges: none.");
	if (privileges & ~RUNS_PROGRAMS) {
		fputs("manual: a command keeps a privilege that has no name here\n", stderr);
		exit(1);
	}
}

static void print_more_help(const struct command *command)
{
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		exit(1);
	command->more_help(command, out);
	fclose(out);
	print_literal(text);
}

static void print_options(const struct cli_option *options)
{
	puts(".Bl -tag -width Ds");
	for (const struct cli_option *option = options; option->name; option++) {
		if (!option->help)
			continue;
		fputs(".It ", stdout);
		if (option->letter)
			printf("Fl %c , ", option->letter);
		fputs("Fl Fl ", stdout);
		print_escaped(option->name, strchr(option->name, 0));
		if (option->argument)
			printf(" Ar %s", option->argument);
		putchar('\n');
		print_filled(option->help, strchr(option->help, 0));
	}
	puts(".El");
}

static void print_command(const struct command *command)
{
	cleanup_free char *forms = NULL;
	size_t size;
	FILE *out = open_memstream(&forms, &size);

	if (!out)
		exit(1);
	command_print_forms(command, "", out);
	fclose(out);
	printf(".Ss portctl %s\n.Bd -literal -compact\n", command->name);
	print_escaped(forms, strchr(forms, 0));
	printf(".Ed\n.Pp\n%s.\n", command->summary);
	print_privileges(command->privileges);
	if (command->help)
		print_paragraphs(command->help);
	if (command->more_help)
		print_more_help(command);
	if (command->options)
		print_options(command->options);
	if (command->examples) {
		puts(".Pp\nExamples:");
		print_literal(command->examples);
	}
	for (const struct command *const *verb = command->verbs; verb && *verb; verb++)
		print_command(*verb);
}

int main(void)
{
	for (size_t i = 0; commands[i]; i++)
		print_command(commands[i]);
	return fflush(stdout) || ferror(stdout);
}
