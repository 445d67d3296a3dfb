// SPDX-License-Identifier: GPL-2.0-only
#include "cli/options.h"

#include <getopt.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "base/number.h"
#include "cli/help.h"
#include "rules/prefix.h"

#define DAY 86400ul /* seconds */
#define OPTIONS_MAX 16 /* of one table */
#define LONG_FORM 256 /* getopt's value of a long form: this plus the row */

const struct cli_option options_json[] = {
	{ "json", 'j', NULL, "print JSON", .brief = true, .kind = CLI_KIND_FLAG },
	{ 0 },
};

/* What getopt_long(3) reads. */
struct getopt_table {
	struct option long_forms[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 1];
};

static void make_getopt_table(const struct cli_option *options, struct getopt_table *table)
{
	char *letter = table->letters;

	*table = (struct getopt_table){ 0 };
	for (int i = 0; options[i].name && i < OPTIONS_MAX; i++) {
		table->long_forms[i] = (struct option){
			.name = options[i].name,
			.has_arg = options[i].argument ? required_argument : no_argument,
			.val = LONG_FORM + i,
		};
		if (options[i].letter)
			*letter++ = options[i].letter;
		if (options[i].letter && options[i].argument)
			*letter++ = ':';
	}
}

/* The row that getopt_long() found; NULL: it found none, and has printed why. */
static const struct cli_option *find_option(const struct cli_option *options, int found)
{
	if (found >= LONG_FORM)
		return &options[found - LONG_FORM];
	while (options->name && options->letter != found)
		options++;
	return options->name ? options : NULL;
}

/* The form that the user wrote: "-i", or "--interval" if it was the long one. */
static const char *user_form(const struct cli_option *option, bool is_long,
			     char text[OPTION_USAGE])
{
	if (is_long)
		snprintf(text, OPTION_USAGE, "--%s", option->name);
	else
		snprintf(text, OPTION_USAGE, "-%c", option->letter);
	return text;
}

static int option_take_number(const struct cli_option *option, const char *form,
			      const char *argument, unsigned long *number)
{
	if (!number_parse(argument, strlen(argument), option->max, number) &&
	    *number >= option->min)
		return EXIT_DONE;
	return fail(EXIT_USAGE, "argv: %s: found \"%s\", expected a number from %lu to %lu",
		    form, argument, option->min, option->max);
}

static int option_take_time(const struct cli_option *option, const char *form,
			    const char *argument, unsigned int *seconds)
{
	if (!time_parse(argument, strlen(argument), option->max, seconds))
		return EXIT_DONE;
	return fail(EXIT_USAGE,
		    "argv: %s: found \"%s\", expected a time of at most %lud, as in 60s or 5m",
		    form, argument, option->max / DAY);
}

static int option_take_address(const char *form, const char *argument, struct prefix *address)
{
	if (!address_parse(argument, address))
		return EXIT_DONE;
	return fail(EXIT_REFUSED, "argv: %s: found \"%s\", expected an address", form,
		    argument);
}

static int option_take(const struct cli_option *option, bool is_long, const char *argument,
		       void *values)
{
	char form[OPTION_USAGE];
	void *field = (char *)values + option->offset;

	user_form(option, is_long, form);
	switch (option->kind) {
	case CLI_KIND_FLAG:
		*(bool *)field = true;
		return EXIT_DONE;
	case CLI_KIND_VALUE:
		*(int *)field = option->value;
		return EXIT_DONE;
	case CLI_KIND_TEXT:
		*(const char **)field = argument;
		return EXIT_DONE;
	case CLI_KIND_NUMBER:
		return option_take_number(option, form, argument, field);
	case CLI_KIND_TIME:
		return option_take_time(option, form, argument, field);
	case CLI_KIND_ADDRESS:
		return option_take_address(form, argument, field);
	case CLI_KIND_CALL:
		return option->call(values, argument);
	}
	return EXIT_USAGE;
}

/* Moves the words that getopt_long() left behind the options to the front. */
static void keep_words(int *argc, char **argv)
{
	for (int i = optind; i < *argc; i++)
		argv[i - optind + 1] = argv[i];
	*argc -= optind - 1;
}

int options_parse(const struct cli_option *options, int *argc, char **argv, void *values)
{
	struct getopt_table table;
	int found;

	make_getopt_table(options, &table);
	optind = 0; /* start anew, after an earlier call as well */
	while ((found = getopt_long(*argc, argv, table.letters, table.long_forms, NULL)) !=
	       -1) {
		const struct cli_option *option = find_option(options, found);
		int status = EXIT_USAGE;

		if (option)
			status = option_take(option, found >= LONG_FORM, optarg, values);
		if (status)
			return status;
	}
	keep_words(argc, argv);
	return EXIT_DONE;
}

const char *option_usage(const struct cli_option *option, char text[OPTION_USAGE])
{
	const char *argument = option->argument ?: "";
	const char *blank = option->argument ? " " : "";

	if (option->brief)
		snprintf(text, OPTION_USAGE, "-%c%s%s", option->letter, blank, argument);
	else
		snprintf(text, OPTION_USAGE, "--%s%s%s", option->name, blank, argument);
	return text;
}

/* "-j, --json", "--confirm TIME" */
static void option_term(const struct cli_option *option, bool letters, char text[OPTION_USAGE])
{
	char letter[] = { '-', option->letter, ',', ' ', 0 };

	snprintf(text, OPTION_USAGE, "%s--%s%s%s",
		 option->letter ? letter
		 : letters	? "    "
				: "",
		 option->name, option->argument ? " " : "", option->argument ?: "");
}

void options_print_help(const struct cli_option *options, FILE *out)
{
	char terms[OPTIONS_MAX][OPTION_USAGE];
	struct help_row rows[OPTIONS_MAX + 1] = { 0 };
	size_t count = 0;
	bool letters = false;

	for (const struct cli_option *option = options; option->name; option++)
		letters |= option->help && option->letter;
	for (const struct cli_option *option = options; option->name; option++) {
		if (!option->help || count == OPTIONS_MAX)
			continue;
		option_term(option, letters, terms[count]);
		rows[count] = (struct help_row){ terms[count], option->help };
		count++;
	}
	help_rows(out, rows);
}
