// SPDX-License-Identifier: GPL-2.0-only
/* check: find the errors of a ruleset file. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/rules_file.h"

/* Prints the messages of the parser, one a line, as JSON. */
static void check_print_json(const struct ruleset *ruleset, bool valid, char *messages)
{
	json_t *list = json_array(), *root;
	char *line;

	while ((line = strsep(&messages, "\n"))) {
		if (*line)
			json_array_append_new(list, text_json(line));
	}
	root = json_pack("{s:b, s:i, s:o}", "valid", valid, "rules", (int)ruleset->count,
			 "messages", list);
	json_dumpf(root, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(root);
}

static int check_json(const char *path, const char *text, struct ruleset *ruleset)
{
	cleanup_free char *messages = NULL;
	size_t size;
	FILE *out = open_memstream(&messages, &size);
	int err;

	if (!out)
		return out_of_memory();
	err = rules_file_parse(path, text, ruleset, out);
	if (fclose(out))
		return out_of_memory();
	if (err != -ENOMEM)
		check_print_json(ruleset, !err, messages);
	return err;
}

static int check_text(const char *path, const char *text, struct ruleset *ruleset)
{
	cleanup_free char *name = text_shown(path);
	int err = rules_file_parse(path, text, ruleset, stderr);

	if (!err)
		printf("%s: no errors, %zu rule%s\n", name ?: "?", ruleset->count,
		       ruleset->count == 1 ? "" : "s");
	return err;
}

static int check_run(const struct command *command, int argc, char **argv)
{
	cleanup_free char *text = NULL;
	cleanup_ruleset struct ruleset ruleset;
	bool json = false;
	int err, status = command_parse(command, &argc, argv, &json);

	ruleset_init(&ruleset);
	if (status)
		return status;
	err = rules_file_text(argv[1], &text);
	if (!err)
		err = (json ? check_json : check_text)(argv[1], text, &ruleset);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_check_entry = {
	.name = "check",
	.arguments = "FILE",
	.summary = "Find the errors of a ruleset file",
	.help = "FILE can be \"-\", which is standard input. Changes nothing and needs no "
		"privileges.",
	.options = options_json,
	.words = { 1, 1 },
	.run = check_run,
	.privileges = PRIVILEGES_FILES,
};
