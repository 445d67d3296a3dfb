// SPDX-License-Identifier: GPL-2.0-only
/* knock list, status, grants, attempts, lockouts: tables of what is known about knocks. */
#include <errno.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "kernel/datapath_knock.h"
#include "kernel/datapath_rules.h"
#include "print/output.h"
#include "rules/prefix.h"

#define SECOND 1000000000ull /* nanoseconds */

static json_t *address_json(const __u8 *address, __u32 family)
{
	char text[ADDRESS_TEXT];

	return json_string(address_text(address, family, text));
}

/* Rounded up: a time that has not ended is never shown as 0. */
static json_t *seconds_left(__u64 deadline, __u64 now)
{
	return json_integer((deadline - now + SECOND - 1) / SECOND);
}

/* A table: fills rows, a list of objects with the same keys. Returns 0 or a negative errno. */
typedef int knock_rows_fn(const struct datapath *dp, const struct ruleset *ruleset,
			  json_t *rows);

static int knock_rows_list(const struct datapath *dp, const struct ruleset *ruleset,
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

static json_t *counts_json(const char *name, const struct door_counts *counts)
{
	return json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name", name, "attempts",
		(json_int_t)counts->attempts, "steps", (json_int_t)counts->steps, "misses",
		(json_int_t)counts->misses, "failures", (json_int_t)counts->failures, "grants",
		(json_int_t)counts->grants, "closed", (json_int_t)counts->closed, "refusals",
		(json_int_t)counts->refusals, "replays", (json_int_t)counts->replays);
}

static int knock_rows_status(const struct datapath *dp, const struct ruleset *ruleset,
			     json_t *rows)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];
		struct door_counts counts;

		if (!rule->knock)
			continue;
		if (datapath_door_counts(dp, rule->door, &counts))
			return -EIO;
		json_array_append_new(rows, counts_json(rule->knock->name, &counts));
	}
	return 0;
}

static int knock_rows_grants(const struct datapath *dp, const struct ruleset *ruleset,
			     json_t *rows)
{
	cleanup_free struct granted *list = NULL;
	__u64 now = since_boot();
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
	return err;
}

static int knock_rows_lockouts(const struct datapath *dp, const struct ruleset *ruleset,
			       json_t *rows)
{
	cleanup_free struct locked_out *list = NULL;
	__u64 now = since_boot();
	size_t count;
	int err = datapath_lockouts(dp, &list, &count);

	(void)ruleset;
	for (size_t i = 0; i < count && !err; i++) {
		__u64 end = list[i].lockout.last + LOCKOUT_SECONDS * SECOND;

		if (end <= now)
			continue;
		json_array_append_new(
			rows, json_pack("{s:o, s:o, s:I}", "source",
					address_json(list[i].key.address, list[i].key.family),
					"seconds", seconds_left(end, now), "failures",
					(json_int_t)list[i].lockout.failures));
	}
	return err;
}

/* NULL if the attempt is over, or its knock is gone. */
static json_t *attempt_json(const struct ruleset *ruleset, union attempt attempt)
{
	__u32 kind = attempt.sequence % DOOR_SEQUENCES;
	const struct rule *rule = ruleset_door(ruleset, attempt.sequence / DOOR_SEQUENCES + 1);
	__u32 now = since_boot() >> ATTEMPT_TICK;
	__u32 age = (now - (__u32)attempt.began) & (ATTEMPT_TIMES - 1);
	__u32 seconds = ((__u64)age << ATTEMPT_TICK) / SECOND;
	bool close;

	if (!rule || !attempt.steps || seconds > rule->knock->window)
		return NULL;
	close = !rule->knock->secret && kind == SEQUENCE_CLOSE;
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "name", rule->knock->name, "kind",
			 close ? "close" : "open", "steps", (int)attempt.steps, "of",
			 (int)(rule->knock->secret ? rule->knock->steps
						   : rule->knock->sequences[close].count),
			 "misses", (int)attempt.misses, "age", (int)seconds);
}

static int knock_rows_attempts(const struct datapath *dp, const struct ruleset *ruleset,
			       json_t *rows)
{
	cleanup_free __u64 *words = NULL;
	size_t count;
	int err = datapath_attempts(dp, &words, &count);

	for (size_t i = 0; i < count && !err; i++) {
		json_t *row =
			words[i] ? attempt_json(ruleset, (union attempt){ words[i] }) : NULL;

		if (row)
			json_array_append_new(rows, row);
	}
	return err;
}

/* Runs a verb: prints the rows of `fill`, as JSON under `key`. */
static int knock_show(const struct command *command, int argc, char **argv, const char *key,
		      knock_rows_fn *fill)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset ruleset;
	bool json = false;
	int err, status = command_parse(command, &argc, argv, &json);
	json_t *rows;

	ruleset_init(&ruleset);
	if (status)
		return status;
	rows = json_array();
	err = datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, &ruleset)
						?: fill(&dp, &ruleset, rows);
	datapath_unlock(&dp);
	if (!err)
		print_rows(key, rows, json);
	json_decref(rows);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

#define SHOW_ENTRY(verb, key, text, more)                                                      \
	static int knock_##verb##_run(const struct command *command, int argc, char **argv)    \
	{                                                                                      \
		return knock_show(command, argc, argv, key, knock_rows_##verb);                \
	}                                                                                      \
	const struct command knock_##verb##_entry = {                                          \
		.name = "knock " #verb,                                                        \
		.arguments = "",                                                               \
		.summary = text,                                                               \
		.help = more,                                                                  \
		.options = options_json,                                                       \
		.run = knock_##verb##_run,                                                     \
		.privileges = PRIVILEGES_READ,                                                 \
	}

SHOW_ENTRY(list, "knocks", "Show the knocks", NULL);
SHOW_ENTRY(status, "knocks", "Show the counters of each knock", NULL);
SHOW_ENTRY(grants, "grants", "Show the sources that have a grant", NULL);
SHOW_ENTRY(attempts, "attempts", "Show the attempts that are under way", NULL);
SHOW_ENTRY(lockouts, "lockouts", "Show the sources whose knocks are ignored",
	   "The knocks of a source are ignored for a minute after five attempts that failed.");
