// SPDX-License-Identifier: GPL-2.0-only
/* knock grant, revoke: let a source in by hand, and end its grant. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "cli/command.h"
#include "cmd_knock/knock_named.h"
#include "kernel/datapath_knock.h"
#include "kernel/datapath_rules.h"
#include "rules/prefix.h"

#define GRANT_MAX (365 * 86400) /* seconds */

/* The key of a grant for one address, or for its /64 if the knock says "per /64". */
static int make_grant_key(const struct rule *rule, const char *source, struct grant_key *key)
{
	struct prefix prefix;

	if (address_parse(source, &prefix))
		return fail(-EINVAL, "argv: found \"%s\", expected an address", source);
	*key = (struct grant_key){ .family = prefix.family, .door = rule->door };
	memcpy(key->address, prefix.address, sizeof(key->address));
	if (rule->knock->per_net && prefix.family == 6)
		memset(key->address + 8, 0, 8);
	return 0;
}

/* Makes a grant for `seconds`, or ends it if they are 0. Holds the lock of a change. */
static int change_grant(const char *name, const char *source, __u32 seconds)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset ruleset;
	const struct rule *rule;
	struct grant_key key;
	int err;

	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_WRITE) ?: datapath_ruleset(&dp, &ruleset);
	rule = err ? NULL : knock_named(&ruleset, name);
	err = rule ? make_grant_key(rule, source, &key) : -ENOENT;
	if (err)
		return err;
	if (seconds)
		return datapath_grant(&dp, &key, since_boot() + seconds * 1000000000ull);
	err = datapath_revoke(&dp, &key);
	if (err == -ENOENT)
		fail(err,
		     "%s has no grant for \"%s\": \"portctl knock grants\" shows the grants",
		     source, name);
	return err;
}

static int knock_grant_run(const struct command *command, int argc, char **argv)
{
	int status = command_parse(command, &argc, argv, NULL);
	char **words = argv + 1;
	unsigned int seconds;

	if (status)
		return status;
	if (strcmp(words[2], "for"))
		return command_usage(command);
	if (time_parse(words[3], strlen(words[3]), GRANT_MAX, &seconds))
		return fail(EXIT_REFUSED,
			    "argv: found \"%s\", expected a time of at most a year, as in 30s "
			    "or 2h",
			    words[3]);
	if (change_grant(words[0], words[1], seconds))
		return EXIT_REFUSED;
	printf("granted: %s for %s, %s\n", words[0], words[1], words[3]);
	return EXIT_DONE;
}

static int knock_revoke_run(const struct command *command, int argc, char **argv)
{
	int status = command_parse(command, &argc, argv, NULL);

	if (status)
		return status;
	if (change_grant(argv[1], argv[2], 0))
		return EXIT_REFUSED;
	printf("revoked: %s for %s\n", argv[1], argv[2]);
	return EXIT_DONE;
}

const struct command knock_grant_entry = {
	.name = "knock grant",
	.arguments = "NAME SOURCE for TIME",
	.summary = "Grant a source access by hand",
	.words = { 4, 4 },
	.run = knock_grant_run,
	.privileges = PRIVILEGES_READ,
};

const struct command knock_revoke_entry = {
	.name = "knock revoke",
	.arguments = "NAME SOURCE",
	.summary = "End the grant of a source",
	.words = { 2, 2 },
	.run = knock_revoke_run,
	.privileges = PRIVILEGES_READ,
};
