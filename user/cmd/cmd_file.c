// SPDX-License-Identifier: GPL-2.0-only
/* check, apply, diff and save: the ruleset as a file. */
#include <errno.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/command.h"
#include "compile/compile.h"
#include "compile/ruleset_diff.h"
#include "kernel/datapath_rules.h"
#include "state/saved.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"

/* The errors and warnings of a check, line by line, as JSON. */
static void print_check(const struct ruleset *ruleset, bool valid, char *messages)
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

static int check_json(const char *path, struct ruleset *ruleset)
{
	cleanup_free char *text = NULL, *messages = NULL, *name = text_shown(path);
	size_t size, messages_size;
	struct report report = { .file = name ?: "?" };
	int err = file_read(path, &text, &size);

	if (err)
		return rules_file_fail(err, path);
	report.out = open_memstream(&messages, &messages_size);
	if (!report.out)
		return fail(-ENOMEM, "out of memory");
	rules_file_listeners(&report);
	err = ruleset_parse(ruleset, text, &report) ?: ruleset_check(ruleset, 0, &report);
	if (fclose(report.out) || err == -ENOMEM)
		return fail(-ENOMEM, "out of memory");
	print_check(ruleset, !err, messages);
	return err;
}

int cmd_check(const struct command *command, int argc, char **argv)
{
	cleanup_free char *name = NULL;
	struct ruleset ruleset;
	bool json;
	int err;

	if (parse_json(argc, argv, &json) != 2)
		return command_usage(command);
	name = text_shown(argv[1]);
	ruleset_init(&ruleset);
	err = json ? check_json(argv[1], &ruleset) : rules_file_read(argv[1], &ruleset);
	if (!err && !json)
		printf("%s: no errors, %zu rule%s\n", name ?: "?", ruleset.count,
		       ruleset.count == 1 ? "" : "s");
	ruleset_clear(&ruleset);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

int cmd_apply(const struct command *command, int argc, char **argv)
{
	struct ruleset next;
	struct change change;
	struct datapath dp = { .lock = -1 };
	int words = parse_change(argc, argv, &change), err;

	if (words != 2)
		return command_usage(command);
	ruleset_init(&next);
	err = rules_file_read(argv[1], &next);
	if (!err)
		err = datapath_open(&dp, DATAPATH_WRITE);
	if (!err)
		err = change_commit_file(&dp, &next, &change);
	if (!err && !dp.count)
		note("portctl is attached to no interface: portctl attach IFACE");
	if (!err && change.json)
		err = show_list(&dp, &next, true);
	else if (!err)
		printf("%zu rule%s applied, default %s\n", next.count,
		       next.count == 1 ? "" : "s", action_name(next.fallback));
	ruleset_clear(&next);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

static void print_difference(char sign, const char *statement, void *data)
{
	(void)data;
	printf("%c %s\n", sign, statement);
}

/* What diff -j collects: statements by sign. */
struct differences {
	json_t *removed;
	json_t *added;
};

static void collect_difference(char sign, const char *statement, void *data)
{
	struct differences *differences = data;

	json_array_append_new(sign == '-' ? differences->removed : differences->added,
			      text_json(statement));
}

static long diff(const struct ruleset *running, const struct ruleset *wanted, bool json)
{
	struct differences differences = { 0 };
	json_t *root;
	long count;

	if (!json)
		return ruleset_diff(running, wanted, print_difference, NULL);
	differences = (struct differences){ json_array(), json_array() };
	count = ruleset_diff(running, wanted, collect_difference, &differences);
	root = json_pack("{s:b, s:o, s:o}", "same", !count, "removed", differences.removed,
			 "added", differences.added);
	json_dumpf(root, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(root);
	return count;
}

/* Beside the saved rules those are looked at that would be saved. */
static int take_lasting(struct ruleset *running)
{
	struct ruleset lasting;
	int err;

	ruleset_init(&lasting);
	err = saved_copy(running, &lasting);
	ruleset_clear(running);
	*running = lasting;
	return err ? fail(err, "out of memory") : 0;
}

int cmd_diff(const struct command *command, int argc, char **argv)
{
	struct ruleset running, wanted;
	struct datapath dp = { .lock = -1 };
	const char *path;
	bool json;
	long err;
	int words = parse_json(argc, argv, &json);

	if (words < 1 || words > 2)
		return command_usage(command);
	path = words == 2 ? argv[1] : saved_path();
	ruleset_init(&running);
	ruleset_init(&wanted);
	err = rules_file_read(path, &wanted);
	if (!err)
		err = datapath_open(&dp, DATAPATH_READ);
	if (!err)
		err = datapath_rules_in_force(&dp, &running);
	datapath_unlock(&dp);
	if (!err && words == 1)
		err = take_lasting(&running);
	if (!err)
		err = diff(&running, &wanted, json);
	if (err > 0)
		fail(0, "the running rules differ from %s", path);
	ruleset_clear(&running);
	ruleset_clear(&wanted);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

/* The folder of the saved ruleset may not be there yet. */
static int make_folder(const char *path)
{
	char copy[PATH_MAX];
	const char *folder;

	snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	if (mkdir(folder, 0755) && errno != EEXIST)
		return fail(-errno, "cannot make %s: %s", folder, strerror(errno));
	return 0;
}

static int fail_write(int err, const char *path)
{
	if (err == -EMEDIUMTYPE)
		return fail(err, "%s is no regular file: \"portctl save -\" prints", path);
	return fail(err, "cannot write %s: %s", path, strerror(-err));
}

static int save_rules(const struct ruleset *running, const char *path)
{
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out;
	int err;

	if (!strcmp(path, "-")) {
		saved_print(running, stdout);
		return 0;
	}
	out = open_memstream(&text, &size);
	if (!out)
		return fail(-ENOMEM, "out of memory");
	saved_print(running, out);
	if (fclose(out))
		return fail(-ENOMEM, "out of memory");
	err = make_folder(path);
	if (err)
		return err;
	err = file_write(path, text, size);
	if (err)
		return fail_write(err, path);
	printf("rules saved to %s\n", path);
	return 0;
}

/* Which interfaces to attach to after a boot: "NAME MODE", one a line. */
static int save_interfaces(const struct datapath *dp)
{
	const char *path = saved_interfaces_path();
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int err;

	if (!out)
		return fail(-ENOMEM, "out of memory");
	for (size_t i = 0; i < dp->count; i++) {
		const struct interface *iface = &dp->interfaces[i];

		if (interface_renamed(iface))
			note("%s is called %s now and saved as that: rules \"on %s\" will not "
			     "judge it any more",
			     iface->name, iface->device, iface->name);
		fprintf(out, "%s %s\n", iface->device, iface->mode);
	}
	if (fclose(out))
		return fail(-ENOMEM, "out of memory");
	err = file_write(path, text, size);
	return err ? fail_write(err, path) : 0;
}

static int save(const struct datapath *dp, const struct ruleset *running, const char *path)
{
	size_t ending = 0;
	int err;

	for (size_t i = 0; i < running->count; i++)
		ending += running->rules[i].seconds != 0;
	if (ending)
		note("%zu rule%s with \"for\" left out", ending, ending == 1 ? "" : "s");
	err = save_rules(running, path ?: saved_path());
	return err || path ? err : save_interfaces(dp);
}

int cmd_save(const struct command *command, int argc, char **argv)
{
	struct ruleset running;
	struct datapath dp;
	bool prints = argc == 2 && !strcmp(argv[1], "-");
	int err;

	if (argc > 2 || (argc == 2 && argv[1][0] == '-' && !prints))
		return command_usage(command);
	ruleset_init(&running);
	/* Who writes the files does it alone. */
	err = datapath_open(&dp, prints ? DATAPATH_READ : DATAPATH_WRITE);
	if (!err && !prints) /* after a boot nothing would undo what was not confirmed */
		err = datapath_check_pending(&dp);
	if (!err)
		err = datapath_rules_in_force(&dp, &running);
	if (prints)
		datapath_unlock(&dp);
	if (!err)
		err = save(&dp, &running, argc == 2 ? argv[1] : NULL);
	ruleset_clear(&running);
	datapath_close(&dp);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
