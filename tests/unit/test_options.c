// SPDX-License-Identifier: GPL-2.0-only
/* The options parser, usage and help; and that the entries of all commands are complete. */
#include "unit.h"

#include <ctype.h>

#include "cli/help.h"
#include "main/commands.h"

#define WORDS_MAX 8

struct values {
	bool flag;
	bool json;
	int choice;
	const char *text;
	unsigned long number;
	unsigned int seconds;
	struct prefix address;
	unsigned int calls;
};

static int count_call(void *values, const char *argument)
{
	((struct values *)values)->calls++;
	return strcmp(argument, "bad") ? EXIT_DONE : EXIT_REFUSED;
}

static const struct cli_option options[] = {
	{ "flag", 'f', NULL, "a flag", CLI_FLAG(struct values, flag) },
	{ "four", '4', NULL, "a choice", CLI_VALUE(struct values, choice, 4) },
	{ "six", '6', NULL, "another choice", CLI_VALUE(struct values, choice, 6) },
	{ "text", 't', "TEXT", "a text", CLI_TEXT(struct values, text) },
	{ "number", 'n', "N", "a number", CLI_NUMBER(struct values, number, 1, 100) },
	{ "confirm", 0, "TIME", "a time", CLI_TIME(struct values, seconds, 86400) },
	{ "address", 0, "ADDRESS", "an address", CLI_ADDRESS(struct values, address) },
	{ "call", 0, "a|b", "a call", CLI_CALL(count_call) },
	{ "hidden", 0, NULL, NULL, CLI_FLAG(struct values, flag) },
	{ CLI_JSON(struct values, json) },
	{ 0 },
};

/* Parses a line of words, with blanks between them. The words left are in *left. */
static int parse(const char *line, struct values *values, char left[128])
{
	static char copy[128]; /* values->text points into it */
	char *rest = copy, *word, *argv[WORDS_MAX + 2] = { "test" };
	int argc = 1, status;

	*values = (struct values){ 0 };
	*left = 0;
	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")) && argc <= WORDS_MAX)
		argv[argc++] = word;
	status = options_parse(options, &argc, argv, values);
	for (int i = 1; i < argc && !status; i++)
		snprintf(left + strlen(left), 128 - strlen(left), "%s%s", i > 1 ? " " : "",
			 argv[i]);
	return status;
}

static void test_words(void **state)
{
	static const struct {
		const char *line;
		const char *left;
	} cases[] = {
		{ "a b", "a b" },
		{ "a -f b --json c", "a b c" },
		{ "-n 5 a --text x b", "a b" },
		{ "a -- -f b", "a -f b" },
		{ "-- --", "--" },
		{ "--text=x a", "a" },
		{ "-tx a -fj", "a" },
		{ "-", "-" },
	};
	struct values values;
	char left[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].line, &values, left), EXIT_DONE);
		assert_string_equal(left, cases[i].left);
	}
}

static void test_values(void **state)
{
	struct values values;
	char left[128];

	(void)state;
	assert_int_equal(parse("-f --four -6 --text a -t b", &values, left), EXIT_DONE);
	assert_true(values.flag && !values.json);
	assert_int_equal(values.choice, 6); /* the last one counts */
	assert_string_equal(values.text, "b");
	assert_int_equal(parse("--conf 5m --num=100 -j --hidden", &values, left), EXIT_DONE);
	assert_int_equal(values.seconds, 300);
	assert_int_equal(values.number, 100);
	assert_true(values.json && values.flag);
	assert_int_equal(parse("--address ::1 --call a --call b", &values, left), EXIT_DONE);
	assert_int_equal(values.address.family, 6);
	assert_int_equal(values.calls, 2);
}

static void test_errors(void **state)
{
	static const struct {
		const char *line;
		int status;
	} cases[] = {
		{ "--bogus", EXIT_USAGE },
		{ "-x", EXIT_USAGE },
		{ "--text", EXIT_USAGE },
		{ "--flag=1", EXIT_USAGE },
		{ "--f", EXIT_USAGE }, /* --flag or --four */
		{ "-n 0", EXIT_USAGE },
		{ "-n 101", EXIT_USAGE },
		{ "-n 5x", EXIT_USAGE },
		{ "-n -1", EXIT_USAGE },
		{ "--confirm 0s", EXIT_USAGE },
		{ "--confirm 2d", EXIT_USAGE },
		{ "--confirm 60", EXIT_USAGE },
		{ "--address 10.0.0.0/8", EXIT_REFUSED },
		{ "--call bad", EXIT_REFUSED },
		{ "--call bad --bogus", EXIT_REFUSED },
		{ "--bogus --call bad", EXIT_USAGE },
	};
	struct values values;
	char left[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(parse(cases[i].line, &values, left), cases[i].status);
}

static void test_usage(void **state)
{
	static const struct command command = {
		.name = "test",
		.arguments = "WORD|--flag [--text TEXT]\nOTHER [a [b c]]",
		.options = options,
	};
	static const char expected[] =
		"x portctl test WORD|--flag [--text TEXT] [--four] [--six] [--number N]\n"
		"               [--confirm TIME] [--address ADDRESS] [--call a|b] [-j]\n"
		"x portctl test OTHER [a [b c]] [--four] [--six] [--number N] [--confirm TIME]\n"
		"               [--address ADDRESS] [--call a|b] [-j]\n";
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	command_print_forms(&command, "x ", out);
	assert_int_equal(fclose(out), 0);
	assert_lines_equal(text, expected);
}

static void check_option(const struct command *command, const struct cli_option *option)
{
	for (const struct cli_option *other = command->options; other < option; other++) {
		assert_string_not_equal(other->name, option->name);
		assert_true(!option->letter || other->letter != option->letter);
	}
	assert_true(option->name[0] && (!option->brief || option->letter));
	/* A word that stands for a value, and a value for such a word. */
	assert_int_equal(!option->argument,
			 option->kind == CLI_KIND_FLAG || option->kind == CLI_KIND_VALUE);
	if (option->help)
		assert_true(option->help[0] && option->help[strlen(option->help) - 1] != '.');
}

static void check_help(const struct command *command)
{
	cleanup_free char *text = NULL;
	char *rest, *line;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	command_print_help(command, out);
	assert_int_equal(fclose(out), 0);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (strlen(line) > HELP_COLUMNS && line[0] != ' ')
			fail_msg("%s: too long: %s", command->name, line);
		assert_true(!*line || line[strlen(line) - 1] != ' ');
	}
}

static void check_command(const struct command *command)
{
	const char *summary = command->summary;

	assert_true(isupper((unsigned char)summary[0]));
	assert_true(summary[strlen(summary) - 1] != '.');
	assert_true(command->words.min <= command->words.max);
	for (const struct cli_option *option = command->options; option && option->name;
	     option++)
		check_option(command, option);
	check_help(command);
	for (const struct command *const *verb = command->verbs; verb && *verb; verb++) {
		assert_int_equal(strncmp((*verb)->name, command->name, strlen(command->name)),
				 0);
		assert_ptr_equal(command_verb(command, strrchr((*verb)->name, ' ') + 1), *verb);
		check_command(*verb);
	}
}

static void test_entries(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		assert_ptr_equal(commands_find(commands[i]->name), commands[i]);
		check_command(commands[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	cmocka_unit_test(test_values),
		cmocka_unit_test(test_errors),	cmocka_unit_test(test_usage),
		cmocka_unit_test(test_entries),
	};

	return run_suite("options", tests);
}
