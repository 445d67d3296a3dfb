/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of a command as a table, and the one parser that reads it. Usage, help, the manual
 * and the completions read the same table.
 *
 *	struct hello {
 *		unsigned long times;
 *		bool json;
 *	};
 *
 *	static const struct cli_option hello_options[] = {
 *		{ "times", 'n', "N", "greet N times (1)",
 *		  CLI_NUMBER(struct hello, times, 1, 100) },
 *		{ CLI_JSON(struct hello, json) },
 *		{ 0 },
 *	};
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "rules/ruleset.h"

/* Exit codes. The help of a command names other ones, if the command has any. */
enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

/* What becomes of an option's argument, and the type of the field that gets the value. */
enum cli_kind {
	CLI_KIND_FLAG, /* bool: set to true */
	CLI_KIND_VALUE, /* int: set to `value` */
	CLI_KIND_TEXT, /* const char *: the argument itself */
	CLI_KIND_NUMBER, /* unsigned long: from `min` to `max` */
	CLI_KIND_TIME, /* unsigned int: seconds, from 1 to `max`, which is whole days */
	CLI_KIND_ADDRESS, /* struct prefix: one IPv4 or IPv6 address */
	CLI_KIND_CALL, /* call() decides */
};

struct cli_option {
	const char *name; /* long form without "--"; NULL ends the table */
	char letter; /* short form without "-", or 0 */
	const char *argument; /* as usage names it; "|" separates its only values; NULL: none */
	const char *help; /* NULL: the option is accepted, but shown nowhere */
	bool brief; /* usage shows the short form */
	enum cli_kind kind;
	size_t offset; /* of the field, in the struct that options_parse() fills */
	unsigned long min, max;
	int value;
	/*
	 * Takes the argument into the struct. Returns EXIT_DONE; or, with an error printed,
	 * EXIT_REFUSED or EXIT_USAGE.
	 */
	int (*call)(void *values, const char *argument);
};

/* The offset of a field. Does not compile if the field's type is not `wanted`. */
#define CLI_IS(type, field, wanted)                                                            \
	__builtin_types_compatible_p(__typeof__(((type *)0)->field), wanted)
#define CLI_FIELD(type, field, wanted)                                                         \
	(offsetof(type, field) + 0 * sizeof(char[CLI_IS(type, field, wanted) ? 1 : -1]))

/* The part of a row that says where the value goes. `type` is the struct to be filled. */
#define CLI_FLAG(type, field) .kind = CLI_KIND_FLAG, .offset = CLI_FIELD(type, field, bool)
#define CLI_VALUE(type, field, number)                                                         \
	.kind = CLI_KIND_VALUE, .offset = CLI_FIELD(type, field, int), .value = number
#define CLI_TEXT(type, field)                                                                  \
	.kind = CLI_KIND_TEXT, .offset = CLI_FIELD(type, field, const char *)
#define CLI_NUMBER(type, field, low, high)                                                     \
	.kind = CLI_KIND_NUMBER, .offset = CLI_FIELD(type, field, unsigned long), .min = low,  \
	.max = high
#define CLI_TIME(type, field, most)                                                            \
	.kind = CLI_KIND_TIME, .offset = CLI_FIELD(type, field, unsigned int), .max = most
#define CLI_ADDRESS(type, field)                                                               \
	.kind = CLI_KIND_ADDRESS, .offset = CLI_FIELD(type, field, struct prefix)
#define CLI_CALL(function) .kind = CLI_KIND_CALL, .call = function

/* Whole rows that several tables have. */
#define CLI_JSON(type, field)                                                                  \
	"json", 'j', NULL, "print JSON", .brief = true, CLI_FLAG(type, field)
#define CLI_NETNS(type, field)                                                                 \
	"netns", 0, "NAME",                                                                    \
		"look at another network namespace: NAME is a name that ip-netns(8) knows, a " \
		"path, or a process ID",                                                       \
		CLI_TEXT(type, field)

/* The table of a command whose only option is -j; options_parse() fills a bool. */
extern const struct cli_option options_json[];

/*
 * Parses the options, which may stand anywhere before a "--", into *values. Leaves the other
 * words in argv, behind argv[0], and sets *argc to their number plus one. Returns EXIT_DONE;
 * or, with an error printed, EXIT_USAGE or EXIT_REFUSED.
 */
int options_parse(const struct cli_option *options, int *argc, char **argv, void *values);

/* Prints a row of help for each option. */
void options_print_help(const struct cli_option *options, FILE *out);

/* An option as usage shows it, without brackets: "--confirm TIME", "-j". */
#define OPTION_USAGE 64
const char *option_usage(const struct cli_option *option, char text[OPTION_USAGE]);

#endif
