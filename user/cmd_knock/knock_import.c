// SPDX-License-Identifier: GPL-2.0-only
/* knock import: from a configuration of knockd to knocks. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "cmd/command.h"
#include "knockd/knockd.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/number.h"

#define SEQ_TIMEOUT 25 /* knockd's own */
#define CMD_TIMEOUT 10
#define NUMBER_DIGITS 4 /* behind a name that would be there twice */
#define OPEN_SECONDS 3600 /* where knockd would leave it open until it is closed */

/* An event that was understood. */
struct door_event {
	const struct knockd_event *event;
	char name[KNOCK_NAME_MAX + 1]; /* as a door; empty: it has none yet */
	struct sequence sequence;
	struct knockd_command command;
	unsigned long window;
	unsigned long seconds; /* 0: until it is closed */
	bool used; /* as the closing half of another */
};

/* Those that open are few, for there are MAX_DOORS at most; those that close may be many. */
struct import {
	const char *path;
	struct door_event doors[MAX_DOORS];
	size_t count;
	struct door_event *closings;
	size_t closing_count;
	size_t closing_room;
	unsigned int failures;
};

static void say(const struct import *import, unsigned int row, const char *name,
		const char *text)
{
	fprintf(stderr, "%s:%u: [%s]: %s\n", import->path, row, name, text);
}

static void cannot(struct import *import, unsigned int row, const struct knockd_event *event,
		   const char *why)
{
	cleanup_free char *text = NULL;

	import->failures++;
	if (asprintf(&text, "not turned: %s", why) < 0)
		text = NULL;
	say(import, row, event->name, text ?: why);
}

static const char *read_seconds(const struct knockd_value *value, unsigned long otherwise,
				unsigned long max, unsigned long *seconds)
{
	*seconds = otherwise;
	if (!value->text)
		return NULL;
	if (number_parse(value->text, strlen(value->text), max, seconds) || !*seconds)
		return "its timeout is no number of seconds that is possible here";
	return NULL;
}

/* What it closes again has to be what it opened. */
static const char *read_stop(struct door_event *door, struct knockd_command *stop)
{
	const struct knockd_event *event = door->event;
	const char *wrong = knockd_command(event->stop_command.text, stop);

	if (wrong)
		return wrong;
	if (door->command.action != KNOCKD_OPENS || stop->action != KNOCKD_CLOSES ||
	    stop->count != door->command.count ||
	    memcmp(stop->terms, door->command.terms, stop->count * sizeof(*stop->terms)))
		return "it does not close what it opens";
	return read_seconds(&event->cmd_timeout, CMD_TIMEOUT, 365 * 86400, &door->seconds);
}

/* What no door can do, or a door cannot be without. */
static bool can_be_door(struct import *import, const struct knockd_event *event)
{
	if (event->one_time_sequences.text) {
		cannot(import, event->one_time_sequences.row, event,
		       "sequences from a file; see \"totp\" and \"spa\"");
		return false;
	}
	if (event->tcpflags.text && strcasecmp(event->tcpflags.text, "syn")) {
		cannot(import, event->tcpflags.row, event,
		       "a step is a SYN here, nothing else");
		return false;
	}
	if (!event->sequence.text || !event->start_command.text) {
		cannot(import, event->row, event, "it has no sequence, or no command");
		return false;
	}
	return true;
}

/* Which line of an event is to blame is the command's, unless something else is. */
static bool read_event(struct import *import, const struct knockd_event *event,
		       struct door_event *door)
{
	struct knockd_command stop;
	const char *wrong;
	unsigned int row;

	*door = (struct door_event){ .event = event };
	if (!can_be_door(import, event))
		return false;
	row = event->sequence.row;
	wrong = knockd_sequence(event->sequence.text, &door->sequence);
	if (!wrong) {
		row = event->seq_timeout.row;
		wrong = read_seconds(&event->seq_timeout, SEQ_TIMEOUT, ATTEMPT_SECONDS,
				     &door->window);
	}
	if (!wrong) {
		row = event->start_command.row;
		wrong = knockd_command(event->start_command.text, &door->command);
	}
	if (!wrong && event->stop_command.text) {
		row = event->stop_command.row;
		wrong = read_stop(door, &stop);
	}
	if (wrong)
		cannot(import, row, event, wrong);
	return !wrong;
}

static bool is_taken(const struct import *import, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!strcmp(import->doors[i].name, import->doors[index].name))
			return true;
	}
	return false;
}

/* The name as a door may have it, another than those before. */
static void make_name(struct import *import, size_t index)
{
	char *name = import->doors[index].name;
	const char *from = import->doors[index].event->name;
	size_t length = 0;

	if (!isalpha((unsigned char)*from))
		name[length++] = 'k';
	for (; *from && length < KNOCK_NAME_MAX - NUMBER_DIGITS; from++) {
		unsigned char c = *from;

		name[length++] = isalnum(c) || c == '-' || c == '_' ? c : '_';
	}
	/* As many tries as there can be doors find one that none has. */
	for (size_t i = 0; i < MAX_DOORS && is_taken(import, index); i++)
		snprintf(name + length, NUMBER_DIGITS + 1, "%zu", index + i);
}

static struct door_event *find_closing(struct import *import, const struct door_event *opening)
{
	const struct knockd_command *opens = &opening->command;

	for (size_t i = 0; i < import->closing_count; i++) {
		struct door_event *closing = &import->closings[i];
		const struct knockd_command *closes = &closing->command;

		if (!closing->used && closes->count == opens->count &&
		    !memcmp(closes->terms, opens->terms, opens->count * sizeof(*opens->terms)))
			return closing;
	}
	return NULL;
}

/* The statement is read again before it is believed. */
static void print_checked(struct import *import, const struct door_event *door,
			  const struct rule *rule)
{
	cleanup_free char *text = rule_text(rule, true), *complaint = NULL, *why = NULL;
	size_t size;
	cleanup_file FILE *out = open_memstream(&complaint, &size);
	struct report report = { .out = out, .file = "" };
	struct ruleset ruleset;
	int err = text && out ? 0 : -ENOMEM;

	ruleset_init(&ruleset);
	err = err ?: ruleset_parse(&ruleset, text, &report);
	ruleset_clear(&ruleset);
	if (!err) {
		puts(text);
		return;
	}
	/* Of ":1:7: found ...", what stands behind the place. */
	if (!out || fflush(out) || !strchr(complaint, ' ') ||
	    asprintf(&why, "no valid knock: %s", strtok(strchr(complaint, ' ') + 1, "\n")) < 0)
		why = NULL;
	cannot(import, door->event->row, door->event, why ?: "no valid knock");
}

static void write_door(struct import *import, size_t index)
{
	struct door_event *door = &import->doors[index];
	struct door_event *closing = door->seconds ? NULL : find_closing(import, door);
	struct knock knock = {
		.sequences[SEQUENCE_OPEN] = door->sequence,
		.seconds = door->seconds ?: OPEN_SECONDS,
		.window = door->window,
		.misses = KNOCK_MISSES,
	};
	struct rule rule = {
		.action = VERDICT_PASS,
		.terms = door->command.terms,
		.term_count = door->command.count,
		.knock = &knock,
	};

	make_name(import, index);
	strcpy(knock.name, door->name);
	if (closing) {
		closing->used = true;
		knock.sequences[SEQUENCE_CLOSE] = closing->sequence;
	}
	if (!door->seconds)
		say(import, door->event->row, door->event->name,
		    "note: knockd leaves it open until it is closed, this for an hour");
	print_checked(import, door, &rule);
}

static void write_doors(struct import *import)
{
	for (size_t i = 0; i < import->count; i++)
		write_door(import, i);
	for (size_t i = 0; i < import->closing_count; i++) {
		const struct door_event *closing = &import->closings[i];

		if (!closing->used)
			cannot(import, closing->event->row, closing->event,
			       "it closes what no other event opens");
	}
}

static int add_door(struct import *import, const struct door_event *door)
{
	if (door->command.action == KNOCKD_CLOSES) {
		if (array_reserve(&import->closings, &import->closing_room,
				  import->closing_count, sizeof(*import->closings)))
			return fail(-ENOMEM, "out of memory");
		import->closings[import->closing_count++] = *door;
		return 0;
	}
	if (import->count == MAX_DOORS)
		return fail(
			-E2BIG,
			"%s:%u: [%s] is one door more than rules can have, %d at most: take out "
			"events that are not needed",
			import->path, door->event->row, door->event->name, MAX_DOORS);
	import->doors[import->count++] = *door;
	return 0;
}

static int import_text(struct import *import, char *text)
{
	struct knockd knockd;
	struct door_event door;
	int err = knockd_parse(text, &knockd);

	if (err)
		fail(err, "out of memory");
	for (size_t i = 0; i < knockd.count && !err; i++) {
		if (read_event(import, &knockd.events[i], &door))
			err = add_door(import, &door);
	}
	if (!err && !knockd.count)
		err = fail(-EINVAL, "%s has no events: is it a configuration of knockd?",
			   import->path);
	if (!err)
		write_doors(import);
	free(import->closings);
	knockd_clear(&knockd);
	return err ?: import->failures ? -EINVAL : 0;
}

int knock_import(const struct command *command, int argc, char **argv)
{
	struct import import = { .path = argc > 1 ? argv[1] : "" };
	cleanup_free char *text = NULL;
	size_t size;
	int err;

	if (argc != 2)
		return command_usage(command);
	err = file_read(import.path, &text, &size);
	if (err)
		rules_file_fail(err, import.path);
	else
		err = import_text(&import, text);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
