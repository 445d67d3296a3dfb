// SPDX-License-Identifier: GPL-2.0-only
/* diff: the differences between the running rules and a file. */
#include <errno.h>
#include <jansson.h>

#include "base/log.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/rules_file.h"
#include "compile/ruleset_diff.h"
#include "kernel/datapath_rules.h"
#include "state/saved.h"

static void diff_print_statement(char sign, const char *statement, void *data)
{
	(void)data;
	printf("%c %s\n", sign, statement);
}

/* Statements for JSON, by their sign. */
struct differences {
	json_t *removed;
	json_t *added;
};

static void diff_add_statement(char sign, const char *statement, void *data)
{
	struct differences *differences = data;

	json_array_append_new(sign == '-' ? differences->removed : differences->added,
			      text_json(statement));
}

static long diff_print_json(const struct ruleset *running, const struct ruleset *wanted)
{
	struct differences differences = { json_array(), json_array() };
	long count = ruleset_diff(running, wanted, diff_add_statement, &differences);
	json_t *root = json_pack("{s:b, s:o, s:o}", "same", !count, "removed",
				 differences.removed, "added", differences.added);

	json_dumpf(root, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(root);
	return count;
}

/* Leaves only the rules that would be saved. */
static int keep_lasting(struct ruleset *running)
{
	struct ruleset lasting;
	int err;

	ruleset_init(&lasting);
	err = saved_copy(running, &lasting);
	ruleset_clear(running);
	*running = lasting;
	return err == -ENOMEM ? out_of_memory() : err;
}

static int diff_run(const struct command *command, int argc, char **argv)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset running, wanted;
	bool json = false;
	int status = command_parse(command, &argc, argv, &json);
	const char *path = argc == 2 ? argv[1] : saved_path();
	long count;

	ruleset_init(&running);
	ruleset_init(&wanted);
	if (status)
		return status;
	if (rules_file_read(path, &wanted) || datapath_open(&dp, DATAPATH_READ) ||
	    datapath_rules_in_force(&dp, &running))
		return EXIT_REFUSED;
	datapath_unlock(&dp);
	if (argc == 1 && keep_lasting(&running))
		return EXIT_REFUSED;
	count = json ? diff_print_json(&running, &wanted)
		     : ruleset_diff(&running, &wanted, diff_print_statement, NULL);
	if (count > 0)
		fail(0, "the running rules differ from %s", path);
	if (count < 0)
		out_of_memory();
	return count ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_diff_entry = {
	.name = "diff",
	.arguments = "[FILE]",
	.summary = "Show how a file differs from the running rules",
	.help = "A line with - is in the running rules only, a line with + in FILE only. A rule "
		"with both a - and a + line stands in another order relative to an equally "
		"specific rule: packets are charged to the first of such rules, and its limit "
		"applies. Without FILE the saved rules are compared, and running rules with "
		"\"for\" are left out. The exit code is 1 if there is a difference.",
	.options = options_json,
	.words = { 0, 1 },
	.run = diff_run,
	.privileges = PRIVILEGES_READ | PRIVILEGES_FILES,
};
