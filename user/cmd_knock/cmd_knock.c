// SPDX-License-Identifier: GPL-2.0-only
/* knock: add a door, see who is let in, let in and shut out by hand. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/command.h"
#include "base/log.h"
#include "kernel/datapath_rules.h"
#include "print/output.h"
#include "rules/prefix.h"
#include "kernel/datapath_knock.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "base/privileges.h"
#include "base/utf8.h"

#define GRANT_MAX (365 * 86400)

const struct rule *knock_of_name(const struct ruleset *ruleset, const char *name)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (rule->knock && !strcmp(rule->knock->name, name))
			return rule;
	}
	fail(-ENOENT, "there is no knock \"%s\": \"portctl knock list\" lists them", name);
	return NULL;
}

static json_t *address_json(const __u8 *address, __u32 family)
{
	char text[ADDRESS_TEXT];

	return json_string(address_text(address, family, text));
}

/* Rounded up: what has not ended has a second left. */
static json_t *seconds_left(__u64 deadline, __u64 now)
{
	return json_integer((deadline - now + 999999999) / 1000000000);
}

static int collect_knocks(const struct datapath *dp, const struct ruleset *ruleset,
			  json_t *rows)
{
	(void)dp;
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];
		cleanup_free char *text = rule->knock ? rule_text(rule, true) : NULL;

		if (text)
			json_array_append_new(rows,
					      json_pack("{s:s, s:o}", "name", rule->knock->name,
							"knock", text_json(text)));
	}
	return 0;
}

static int collect_counts(const struct datapath *dp, const struct ruleset *ruleset,
			  json_t *rows)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];
		struct door_counts counts;

		if (!rule->knock)
			continue;
		if (datapath_door_counts(dp, rule->door, &counts))
			return -EIO;
		json_array_append_new(rows,
				      json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
						"name", rule->knock->name, "attempts",
						(json_int_t)counts.attempts, "steps",
						(json_int_t)counts.steps, "misses",
						(json_int_t)counts.misses, "failures",
						(json_int_t)counts.failures, "grants",
						(json_int_t)counts.grants, "closed",
						(json_int_t)counts.closed, "refusals",
						(json_int_t)counts.refusals, "replays",
						(json_int_t)counts.replays));
	}
	return 0;
}

static int collect_grants(const struct datapath *dp, const struct ruleset *ruleset,
			  json_t *rows)
{
	__u64 now = since_boot();
	struct granted *list;
	size_t count;
	int err = datapath_grants(dp, &list, &count);

	for (size_t i = 0; i < count && !err; i++) {
		const struct rule *rule = ruleset_door(ruleset, list[i].key.door);
		__u64 opener = list[i].grant.opener;

		if (!rule || list[i].grant.deadline <= now)
			continue;
		json_array_append_new(
			rows,
			json_pack("{s:s, s:o, s:o, s:b}", "name", rule->knock->name, "source",
				  address_json(list[i].key.address, list[i].key.family),
				  "seconds", seconds_left(list[i].grant.deadline, now), "used",
				  opener != 0));
	}
	free(list);
	return err;
}

static int collect_lockouts(const struct datapath *dp, const struct ruleset *ruleset,
			    json_t *rows)
{
	__u64 now = since_boot();
	struct locked_out *list;
	size_t count;
	int err = datapath_lockouts(dp, &list, &count);

	(void)ruleset;
	for (size_t i = 0; i < count && !err; i++) {
		__u64 end = list[i].lockout.last + LOCKOUT_SECONDS * 1000000000ull;

		if (end <= now)
			continue;
		json_array_append_new(
			rows, json_pack("{s:o, s:o, s:I}", "source",
					address_json(list[i].key.address, list[i].key.family),
					"seconds", seconds_left(end, now), "failures",
					(json_int_t)list[i].lockout.failures));
	}
	free(list);
	return err;
}

/* An attempt's word, as struct attempts has it. */
static json_t *attempt_json(const struct ruleset *ruleset, __u64 word)
{
	__u32 index = word >> 29 & 255, steps = word >> 24 & 31, kind = index % DOOR_SEQUENCES;
	const struct rule *rule = ruleset_door(ruleset, index / DOOR_SEQUENCES + 1);
	__u32 now = since_boot() >> ATTEMPT_TICK & (ATTEMPT_TIMES - 1);
	__u32 age = (now - (__u32)word) & (ATTEMPT_TIMES - 1);
	__u32 seconds = ((__u64)age << ATTEMPT_TICK) / 1000000000;
	bool close;

	if (!rule || !steps || seconds > rule->knock->window)
		return NULL;
	close = !rule->knock->secret && kind == SEQUENCE_CLOSE;
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "name", rule->knock->name, "kind",
			 close ? "close" : "open", "steps", (int)steps, "of",
			 (int)(rule->knock->secret ? rule->knock->steps
						   : rule->knock->sequences[close].count),
			 "misses", (int)(word >> 20 & 15), "age", (int)seconds);
}

static int collect_attempts(const struct datapath *dp, const struct ruleset *ruleset,
			    json_t *rows)
{
	__u64 *words;
	size_t count;
	int err = datapath_attempts(dp, &words, &count);

	for (size_t i = 0; i < count && !err; i++) {
		json_t *row = words[i] ? attempt_json(ruleset, words[i]) : NULL;

		if (row)
			json_array_append_new(rows, row);
	}
	free(words);
	return err;
}

/* What can be listed, and under which key of the JSON. */
static const struct listing {
	const char *word;
	const char *key;
	int (*collect)(const struct datapath *dp, const struct ruleset *ruleset, json_t *rows);
} listings[] = {
	{ "list", "knocks", collect_knocks },
	{ "status", "knocks", collect_counts },
	{ "grants", "grants", collect_grants },
	{ "attempts", "attempts", collect_attempts },
	{ "lockouts", "lockouts", collect_lockouts },
};

static int list(const struct listing *listing, bool json)
{
	json_t *rows = json_array();
	struct ruleset ruleset;
	struct datapath dp;
	int err;

	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, &ruleset);
	err = err ?: listing->collect(&dp, &ruleset, rows);
	datapath_unlock(&dp);
	if (!err)
		print_rows(listing->key, rows, json);
	json_decref(rows);
	ruleset_clear(&ruleset);
	datapath_close(&dp);
	return err;
}

/* The key of a grant for one address, of IPv6 perhaps for its /64. */
static int make_key(const struct rule *rule, const char *source, struct grant_key *key)
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

/* Runs with the knock of that name, while nobody changes the rules. */
static int with_key(const char *name, const char *source, __u32 seconds)
{
	const struct rule *rule;
	struct ruleset ruleset;
	struct datapath dp;
	struct grant_key key;
	int err;

	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_WRITE) ?: datapath_ruleset(&dp, &ruleset);
	rule = err ? NULL : knock_of_name(&ruleset, name);
	err = rule ? make_key(rule, source, &key) : -ENOENT;
	if (!err && seconds) {
		err = datapath_grant(&dp, &key, since_boot() + seconds * 1000000000ull);
	} else if (!err) {
		err = datapath_revoke(&dp, &key);
		if (err == -ENOENT)
			fail(err, "%s has no grant for \"%s\": \"portctl knock grants\"",
			     source, name);
	}
	ruleset_clear(&ruleset);
	datapath_close(&dp);
	return err;
}

static int grant_source(const struct command *command, int argc, char **argv)
{
	char **words = argv + 1;
	unsigned int seconds;

	if (argc != 5 || strcmp(words[2], "for"))
		return command_usage(command);
	if (time_parse(words[3], strlen(words[3]), GRANT_MAX, &seconds)) {
		fail(-EINVAL,
		     "argv: found \"%s\", expected a time of at most a year, as in 30s or 2h",
		     words[3]);
		return EXIT_REFUSED;
	}
	if (with_key(words[0], words[1], seconds))
		return EXIT_REFUSED;
	printf("granted: %s for %s, %s\n", words[0], words[1], words[3]);
	return EXIT_DONE;
}

static int revoke_source(const struct command *command, int argc, char **argv)
{
	if (argc != 3)
		return command_usage(command);
	if (with_key(argv[1], argv[2], 0))
		return EXIT_REFUSED;
	printf("revoked: %s for %s\n", argv[1], argv[2]);
	return EXIT_DONE;
}

#define READS CAPABILITY(BPF)
#define FILES CAPABILITY(DAC_READ_SEARCH)

/* With what each of them needs of what "knock" itself, which adds a rule, may keep. */
static const struct {
	const char *word;
	int (*run)(const struct command *command, int argc, char **argv);
	__u64 privileges;
} actions[] = {
	{ "grant", grant_source, READS },
	{ "revoke", revoke_source, READS },
	{ "key", knock_key, 0 },
	{ "send", knock_send, 0 },
	{ "sequence", knock_sequence, READS | FILES },
	{ "now", knock_now, READS | FILES },
	{ "serve", knock_serve, READS },
	{ "import", knock_import, FILES },
};

static int keep_for(__u64 privileges)
{
	int err = privileges_keep(privileges);

	return err ? fail(err, "cannot give up privileges: %s", strerror(-err)) : 0;
}

int cmd_knock(const struct command *command, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	bool json;

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(word, actions[i].word))
			continue;
		if (keep_for(actions[i].privileges))
			return EXIT_REFUSED;
		return actions[i].run(command, argc - 1, argv + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(listings); i++) {
		if (strcmp(word, listings[i].word))
			continue;
		if (parse_json(argc, argv, &json) != 2)
			return command_usage(command);
		if (keep_for(READS))
			return EXIT_REFUSED;
		return list(&listings[i], json) ? EXIT_REFUSED : EXIT_DONE;
	}
	return cmd_rule(command, argc, argv);
}
