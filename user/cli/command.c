// SPDX-License-Identifier: GPL-2.0-only
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/help.h"

/* One form of usage while it is printed. */
struct usage_line {
	FILE *out;
	size_t indent; /* of its further lines */
	size_t at; /* column */
};

static void print_part(struct usage_line *line, const char *before, const char *part,
		       size_t length, const char *after)
{
	size_t width = strlen(before) + length + strlen(after);

	if (line->at > line->indent && line->at + 1 + width > HELP_COLUMNS) {
		fprintf(line->out, "\n%*s", (int)line->indent, "");
		line->at = line->indent;
	} else {
		fputc(' ', line->out);
		line->at++;
	}
	fprintf(line->out, "%s%.*s%s", before, (int)length, part, after);
	line->at += width;
}

/* The length of the first word; blanks within brackets do not end it. */
static size_t part_length(const char *text, const char *end)
{
	const char *at = text;
	int depth = 0;

	for (; at < end && (*at != ' ' || depth); at++)
		depth += (*at == '[') - (*at == ']');
	return at - text;
}

/* Whether the arguments name an option themselves, as in "IFACE...|--all". */
static bool is_named(const char *arguments, const struct cli_option *option)
{
	char text[OPTION_USAGE], letter[] = { '-', option->letter, 0 };
	const char *forms[] = { text, option->letter ? letter : text };

	snprintf(text, sizeof(text), "--%s", option->name);
	for (size_t i = 0; i < 2; i++) {
		const char *found = strstr(arguments, forms[i]);
		bool begins = found && (found == arguments || strchr(" [|", found[-1]));

		if (begins && strchr(" ]|\n", found[strlen(forms[i])]))
			return true;
	}
	return false;
}

static void print_form(const struct command *command, const char *before, const char *form,
		       size_t length, FILE *out)
{
	const char *end = form + length;
	struct usage_line line = { .out = out };
	char text[OPTION_USAGE];

	line.indent = line.at = fprintf(out, "%sportctl %s", before, command->name);
	line.indent++;
	while (form < end) {
		size_t part = part_length(form, end);

		print_part(&line, "", form, part, "");
		form += part + strspn(form + part, " ");
	}
	for (const struct cli_option *option = command->options; option && option->name;
	     option++) {
		if (!option->help || is_named(command->arguments, option))
			continue;
		option_usage(option, text);
		print_part(&line, "[", text, strlen(text), "]");
	}
	fputc('\n', out);
}

static void print_forms(const struct command *command, const char *first, const char *next,
			FILE *out)
{
	const char *form = command->arguments;

	while (form) {
		const char *end = strchrnul(form, '\n');

		print_form(command, first, form, end - form, out);
		first = next;
		form = *end ? end + 1 : NULL;
	}
}

void command_print_forms(const struct command *command, const char *before, FILE *out)
{
	print_forms(command, before, before, out);
}

static void print_usage(const struct command *command, FILE *out)
{
	static const char next[] = "       ";

	print_forms(command, "usage: ", next, out);
	for (const struct command *const *verb = command->verbs; verb && *verb; verb++)
		print_forms(*verb, next, next, out);
}

int command_usage(const struct command *command)
{
	print_usage(command, stderr);
	return EXIT_USAGE;
}

static void print_verbs(const struct command *command, FILE *out)
{
	fprintf(out, "\nVerbs (\"portctl help %s VERB\" shows more of one):\n", command->name);
	for (const struct command *const *verb = command->verbs; *verb; verb++)
		help_row(out, 12, strrchr((*verb)->name, ' ') + 1, (*verb)->summary);
}

void command_print_help(const struct command *command, FILE *out)
{
	fprintf(out, "portctl %s: %s\n\n", command->name, command->summary);
	print_usage(command, out);
	if (command->help) {
		fputc('\n', out);
		help_text(out, command->help);
	}
	if (command->more_help) {
		fputc('\n', out);
		command->more_help(command, out);
	}
	if (command->options) {
		fputs("\nOptions:\n", out);
		options_print_help(command->options, out);
	}
	if (command->verbs)
		print_verbs(command, out);
	if (command->examples)
		fprintf(out, "\nExamples:\n%s", command->examples);
}

const struct command *command_verb(const struct command *command, const char *name)
{
	for (const struct command *const *verb = command->verbs; verb && *verb; verb++) {
		if (!strcmp(strrchr((*verb)->name, ' ') + 1, name))
			return *verb;
	}
	return NULL;
}

int command_parse(const struct command *command, int *argc, char **argv, void *values)
{
	int status = EXIT_DONE;

	if (command->options)
		status = options_parse(command->options, argc, argv, values);
	if (!status && (*argc - 1 < command->words.min || *argc - 1 > command->words.max))
		status = EXIT_USAGE;
	return status == EXIT_USAGE ? command_usage(command) : status;
}

int command_run(const struct command *command,
		int (*run)(const struct command *command, int argc, char **argv), int argc,
		char **argv)
{
	int err = privileges_keep(command->privileges);
	char name[64];

	if (err) {
		fail(err, "cannot give up privileges: %s", strerror(-err));
		return EXIT_REFUSED;
	}
	snprintf(name, sizeof(name), "portctl %s", command->name);
	argv[0] = name;
	return run(command, argc, argv);
}
