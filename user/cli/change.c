// SPDX-License-Identifier: GPL-2.0-only
#include "cli/change.h"

#include <errno.h>
#include <string.h>

#include "advise/lockout.h"
#include "base/log.h"
#include "cli/rules_file.h"
#include "cli/show.h"
#include "compile/check.h"
#include "compile/lines.h"
#include "kernel/datapath_rules.h"
#include "rules/signing.h"
#include "rules/totp.h"

#define CONFIRM_MAX 86400 /* seconds */

const struct cli_option change_options[] = {
	{ "confirm", 0, "TIME",
	  "undo the change after TIME (30s, 5m, 2h), unless \"portctl confirm\" is run before",
	  CLI_TIME(struct change, seconds, CONFIRM_MAX) },
	{ "force", 0, NULL, "make the change even if it cuts off connections that are open now",
	  CLI_FLAG(struct change, force) },
	{ CLI_JSON(struct change, json) },
	{ 0 },
};

static int check_key_file(const char *path)
{
	struct signing_key *keys;
	size_t count;
	int err = keys_read(path, &keys, &count);

	keys_free(keys, count);
	if (!err && count > MAX_SIGNERS)
		return fail(-E2BIG, "%s has %zu keys, but the limit is %u: remove some", path,
			    count, MAX_SIGNERS);
	return err;
}

static int check_secret_file(const char *path)
{
	struct totp totp;
	int err = totp_read(path, &totp);

	explicit_bzero(&totp, sizeof(totp));
	return err;
}

/*
 * Refuses a change that adds a knock with a bad file of keys or secrets. Knocks that run
 * already are not checked: a file that went bad later must not block other changes.
 */
static int check_secrets(const struct ruleset *next, const struct ruleset *running)
{
	int err = 0;

	for (size_t i = 0; i < next->count && !err; i++) {
		const struct rule *rule = &next->rules[i];

		if (!rule->knock || (running && ruleset_find(running, rule) >= 0))
			continue;
		if (rule->knock->keys)
			err = check_key_file(rule->knock->keys);
		if (rule->knock->secret)
			err = check_secret_file(rule->knock->secret);
	}
	return err;
}

static int check_edit(const struct ruleset *next, const struct ruleset *running)
{
	struct report report = { .out = stderr, .file = "argv", .unit = "rule" };
	int err;

	rules_file_listeners(&report);
	err = ruleset_check_change(next, running, &report);
	return err == -ENOMEM ? out_of_memory() : err;
}

/*
 * Grants are compared by the door numbers of knocks, and limits by lines. Both are assigned
 * with the lines, so assign those first. If that fails, datapath_commit() prints the error.
 */
static int check_lockout(const struct datapath *dp, const struct ruleset *running,
			 struct ruleset *next)
{
	bool lines = false;

	for (size_t i = 0; i < next->count; i++)
		lines |= next->rules[i].knock || next->rules[i].limit.count;
	if (lines && assign_lines(next, running))
		return 0;
	return lockout_check(dp, running, next,
			     "allow it, or try with --confirm 60s, or insist with --force");
}

static int commit(struct datapath *dp, struct ruleset *next, const struct change *change,
		  bool edit)
{
	cleanup_ruleset struct ruleset running;
	int err;

	ruleset_init(&running);
	err = datapath_rules_in_force(dp, &running);
	if (!err && edit)
		err = check_edit(next, &running);
	if (!err)
		err = check_secrets(next, edit ? &running : NULL);
	if (!err && !change->force && !change->seconds)
		err = check_lockout(dp, &running, next);
	if (!err)
		err = datapath_commit(dp, next, change->seconds);
	if (!err && change->seconds && !change->json)
		printf("this change is undone in %u s, unless you run \"portctl confirm\"\n",
		       change->seconds);
	return err;
}

int change_commit_file(struct datapath *dp, struct ruleset *next, const struct change *change)
{
	return commit(dp, next, change, false);
}

int change_commit_edit(struct datapath *dp, struct ruleset *next, const struct change *change)
{
	return commit(dp, next, change, true);
}

int change_run(const struct change *change, change_edit_fn *edit, void *data)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset running;
	int err;

	ruleset_init(&running);
	err = datapath_open(&dp, DATAPATH_WRITE) ?: datapath_rules_in_force(&dp, &running)
						 ?: edit(&dp, &running, change, data);
	if (!err && change->json)
		err = show_list(&dp, &running, true);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
