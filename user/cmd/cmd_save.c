// SPDX-License-Identifier: GPL-2.0-only
/* save: write the running rules to a file. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "kernel/datapath_rules.h"
#include "state/saved.h"

/* Makes the folder of a file, if it is not there. */
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

static int save_fail(int err, const char *path)
{
	if (err == -EMEDIUMTYPE)
		return fail(err,
			    "cannot write %s: it is not a regular file; \"portctl save -\" "
			    "prints the rules",
			    path);
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
		return out_of_memory();
	saved_print(running, out);
	if (fclose(out))
		return out_of_memory();
	err = make_folder(path);
	if (err)
		return err;
	err = file_write(path, text, size);
	if (err)
		return save_fail(err, path);
	printf("rules saved to %s\n", path);
	return 0;
}

/* Writes the list of attached interfaces for "restore": "NAME MODE", one a line. */
static int save_interfaces(const struct datapath *dp)
{
	const char *path = saved_interfaces_path();
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int err;

	if (!out)
		return out_of_memory();
	for (size_t i = 0; i < dp->count; i++) {
		const struct interface *iface = &dp->interfaces[i];

		if (interface_renamed(iface))
			note("%s was renamed to %s, and is saved under that name: rules \"on "
			     "%s\" will not apply to it after a restore",
			     iface->name, iface->device, iface->name);
		fprintf(out, "%s %s\n", iface->device, iface->mode);
	}
	if (fclose(out))
		return out_of_memory();
	err = file_write(path, text, size);
	return err ? save_fail(err, path) : 0;
}

/* `path`: as on the command line; NULL: where "restore" finds it. */
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

static int save_run(const struct command *command, int argc, char **argv)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset running;
	int err, status = command_parse(command, &argc, argv, NULL);
	const char *path = argc == 2 ? argv[1] : NULL;
	bool prints = path && !strcmp(path, "-");

	ruleset_init(&running);
	if (status)
		return status;
	if (path && *path == '-' && !prints)
		return command_usage(command);
	/* Holds the lock of a change while it writes, so that only one process writes. */
	err = datapath_open(&dp, prints ? DATAPATH_READ : DATAPATH_WRITE);
	/* Does not save an unconfirmed change: after a boot nothing would undo it. */
	if (!err && !prints)
		err = datapath_check_pending(&dp);
	if (!err)
		err = datapath_rules_in_force(&dp, &running);
	if (prints)
		datapath_unlock(&dp);
	if (!err)
		err = save(&dp, &running, path);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_save_entry = {
	.name = "save",
	.arguments = "[FILE]",
	.summary = "Write the running rules to a file",
	.help = "Without FILE the rules are written to /etc/portctl/rules, and the names of the "
		"attached interfaces to a file beside it: \"restore\" reads both. FILE can be "
		"\"-\", which is standard output. Rules with \"for\" are left out. Symbolic "
		"links are followed if they belong to root or to the user. While a change waits "
		"to be confirmed, only \"save -\" works.",
	.words = { 0, 1 },
	.run = save_run,
	.privileges = PRIVILEGES_READ | CAPABILITY(DAC_OVERRIDE),
};
