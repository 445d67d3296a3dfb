/* SPDX-License-Identifier: GPL-2.0-only */
/* What all commands do that change the running rules: their options, checks and commit. */
#ifndef CHANGE_H
#define CHANGE_H

#include "cli/options.h"
#include "kernel/datapath.h"
#include "rules/ruleset.h"

/* The options of these commands. */
struct change {
	unsigned int seconds; /* --confirm: undo the change after this time; 0: keep it */
	bool force; /* --force: do not check for open connections */
	bool json;
};

/* Their table; options_parse() fills a struct change. */
extern const struct cli_option change_options[];

/*
 * Makes *next the running ruleset, unless that would cut off an open connection. *next comes
 * from a file and was checked by rules_file_read(). Returns 0 or a negative errno, with the
 * error printed.
 */
int change_commit_file(struct datapath *dp, struct ruleset *next, const struct change *change);

/*
 * As change_commit_file(), for a ruleset that was made by editing the running one. Checks the
 * whole ruleset, so that what runs and is saved can be applied and restored later.
 */
int change_commit_edit(struct datapath *dp, struct ruleset *next, const struct change *change);

/* Edits the running ruleset and commits it. Returns 0 or a negative errno, error printed. */
typedef int change_edit_fn(struct datapath *dp, struct ruleset *running,
			   const struct change *change, void *data);

/*
 * Takes the lock, reads the running ruleset, calls edit() with it and `data`, and prints the
 * new ruleset if --json was given. Returns an exit code.
 */
int change_run(const struct change *change, change_edit_fn *edit, void *data);

#endif
