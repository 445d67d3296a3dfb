// SPDX-License-Identifier: GPL-2.0-only
/* knock import: convert a configuration of knockd to knocks. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/number.h"
#include "rules/ruleset_parse.h"
#include "cli/command.h"
#include "cli/rules_file.h"
#include "knockd/knockd.h"

/* knockd's defaults, in seconds. */
#define SEQ_TIMEOUT 25
#define CMD_TIMEOUT 10
#define CMD_TIMEOUT_MAX (365 * 86400)
/* The grant's time in seconds, where knockd leaves ports open until they are closed. */
#define OPEN_SECONDS 3600
#define NUMBER_DIGITS 4 /* added to a name that is taken */

/* An event that can become a knock, or that closes what another event opens. */
struct import_event {
	const struct knockd_event *event;
	char name[KNOCK_NAME_MAX + 1]; /* of the knock; empty: not chosen yet */
	struct sequence sequence;
	struct knockd_command command;
	unsigned long window; /* seconds */
	unsigned long seconds; /* 0: open until it is closed */
	bool used; /* its sequence became the "close" of another event's knock */
};

/* Openings become knocks, so there are at most MAX_DOORS; of closings there may be more. */
struct import {
	const char *path;
	struct import_event openings[MAX_DOORS];
	size_t count;
	struct import_event *closings;
	size_t closing_count;
	size_t closing_room;
	unsigned int failures;
};

static void import_say(const struct import *import, unsigned int row, const char *name,
		       const char *before, const char *text)
{
	fprintf(stderr, "%s:%u: [%s]: %s%s\n", import->path, row, name, before, text);
}

static void import_fail(struct import *import, unsigned int row,
			const struct knockd_event *event, const char *why)
{
	import->failures++;
	import_say(import, row, event->name, "not imported: ", why);
}

static const char *read_seconds(const struct knockd_value *value, unsigned long otherwise,
				unsigned long max, unsigned long *seconds)
{
	*seconds = otherwise;
	if (!value->text)
		return NULL;
	if (number_parse(value->text, strlen(value->text), max, seconds) || !*seconds)
		return "its timeout is not a number of seconds, or is 0 or too long";
	return NULL;
}

/* The stop_command must close the ports that the start_command opens. */
static const char *read_stop(struct import_event *import_event, struct knockd_command *stop)
{
	const struct knockd_event *event = import_event->event;
	const struct knockd_command *start = &import_event->command;
	const char *wrong = knockd_command(event->stop_command.text, stop);

	if (wrong)
		return wrong;
	if (start->action != KNOCKD_OPENS || stop->action != KNOCKD_CLOSES ||
	    stop->count != start->count ||
	    memcmp(stop->terms, start->terms, stop->count * sizeof(*stop->terms)))
		return "its second command does not close the ports that its first opens";
	return read_seconds(&event->cmd_timeout, CMD_TIMEOUT, CMD_TIMEOUT_MAX,
			    &import_event->seconds);
}

/* Checks for what a knock cannot do, and for what it must have. */
static bool can_be_knock(struct import *import, const struct knockd_event *event)
{
	if (event->one_time_sequences.text) {
		import_fail(import, event->one_time_sequences.row, event,
			    "it has sequences from a file; use a knock with totp or spa");
		return false;
	}
	if (event->tcpflags.text && strcasecmp(event->tcpflags.text, "syn")) {
		import_fail(import, event->tcpflags.row, event,
			    "a TCP step of a knock is a SYN, no other flags are possible");
		return false;
	}
	if (!event->sequence.text || !event->start_command.text) {
		import_fail(import, event->row, event, "it has no sequence, or no command");
		return false;
	}
	return true;
}

/* Reports the first error, at the row of the directive that has it. */
static bool read_event(struct import *import, const struct knockd_event *event,
		       struct import_event *import_event)
{
	struct knockd_command stop;
	const char *wrong;
	unsigned int row;

	*import_event = (struct import_event){ .event = event };
	if (!can_be_knock(import, event))
		return false;
	row = event->sequence.row;
	wrong = knockd_sequence(event->sequence.text, &import_event->sequence);
	if (!wrong) {
		row = event->seq_timeout.row;
		wrong = read_seconds(&event->seq_timeout, SEQ_TIMEOUT, ATTEMPT_SECONDS,
				     &import_event->window);
	}
	if (!wrong) {
		row = event->start_command.row;
		wrong = knockd_command(event->start_command.text, &import_event->command);
	}
	if (!wrong && event->stop_command.text) {
		row = event->stop_command.row;
		wrong = read_stop(import_event, &stop);
	}
	if (wrong)
		import_fail(import, row, event, wrong);
	return !wrong;
}

static bool is_taken(const struct import *import, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!strcmp(import->openings[i].name, import->openings[index].name))
			return true;
	}
	return false;
}

/*
 * Changes the event's name to a valid name of a knock that no earlier event has. MAX_DOORS
 * numbers are enough, since there are no more names.
 */
static void make_name(struct import *import, size_t index)
{
	char *name = import->openings[index].name;
	const char *from = import->openings[index].event->name;
	size_t length = 0;

	if (!isalpha((unsigned char)*from))
		name[length++] = 'k';
	for (; *from && length < KNOCK_NAME_MAX - NUMBER_DIGITS; from++) {
		unsigned char c = *from;

		name[length++] = isalnum(c) || c == '-' || c == '_' ? c : '_';
	}
	for (size_t i = 0; i < MAX_DOORS && is_taken(import, index); i++)
		snprintf(name + length, NUMBER_DIGITS + 1, "%zu", index + i);
}

static struct import_event *find_closing(struct import *import,
					 const struct import_event *opening)
{
	const struct knockd_command *opens = &opening->command;

	for (size_t i = 0; i < import->closing_count; i++) {
		struct import_event *closing = &import->closings[i];
		const struct knockd_command *closes = &closing->command;

		if (!closing->used && closes->count == opens->count &&
		    !memcmp(closes->terms, opens->terms, opens->count * sizeof(*opens->terms)))
			return closing;
	}
	return NULL;
}

/* Prints the knock, if the parser of rules takes it; else the parser's message. */
static void print_checked(struct import *import, const struct import_event *opening,
			  const struct rule *rule)
{
	cleanup_free char *text = rule_text(rule, true), *complaint = NULL;
	size_t size;
	cleanup_file FILE *out = open_memstream(&complaint, &size);
	struct report report = { .out = out, .file = "" };
	cleanup_ruleset struct ruleset ruleset;
	const char *why = "it makes no valid knock";

	ruleset_init(&ruleset);
	if (text && out && !ruleset_parse(&ruleset, text, &report)) {
		puts(text);
		return;
	}
	/* From ":1:7: found ..." take the text after the column. */
	if (out && !fflush(out) && strchr(complaint, ' '))
		why = strtok(strchr(complaint, ' ') + 1, "\n");
	import_fail(import, opening->event->row, opening->event, why);
}

static void write_knock(struct import *import, size_t index)
{
	struct import_event *opening = &import->openings[index];
	struct import_event *closing = opening->seconds ? NULL : find_closing(import, opening);
	struct knock knock = {
		.sequences[SEQUENCE_OPEN] = opening->sequence,
		.seconds = opening->seconds ?: OPEN_SECONDS,
		.window = opening->window,
		.misses = KNOCK_MISSES,
	};
	struct rule rule = {
		.action = VERDICT_PASS,
		.terms = opening->command.terms,
		.term_count = opening->command.count,
		.knock = &knock,
	};

	make_name(import, index);
	strcpy(knock.name, opening->name);
	if (closing) {
		closing->used = true;
		knock.sequences[SEQUENCE_CLOSE] = closing->sequence;
	}
	if (!opening->seconds)
		import_say(import, opening->event->row, opening->event->name, "note: ",
			   "knockd leaves the ports open until they are closed; this knock "
			   "opens them for an hour");
	print_checked(import, opening, &rule);
}

static void write_knocks(struct import *import)
{
	for (size_t i = 0; i < import->count; i++)
		write_knock(import, i);
	for (size_t i = 0; i < import->closing_count; i++) {
		const struct import_event *closing = &import->closings[i];

		if (!closing->used)
			import_fail(import, closing->event->row, closing->event,
				    "it closes ports that no other event opens");
	}
}

static int import_add(struct import *import, const struct import_event *import_event)
{
	if (import_event->command.action == KNOCKD_CLOSES) {
		if (array_reserve(&import->closings, &import->closing_room,
				  import->closing_count, sizeof(*import->closings)))
			return out_of_memory();
		import->closings[import->closing_count++] = *import_event;
		return 0;
	}
	if (import->count == MAX_DOORS)
		return fail(-E2BIG,
			    "%s:%u: [%s] is one knock more than the %d that a ruleset can "
			    "have: remove events",
			    import->path, import_event->event->row, import_event->event->name,
			    MAX_DOORS);
	import->openings[import->count++] = *import_event;
	return 0;
}

static int import_text(struct import *import, char *text)
{
	struct knockd knockd;
	struct import_event import_event;
	int err = knockd_parse(text, &knockd);

	if (err)
		out_of_memory();
	for (size_t i = 0; i < knockd.count && !err; i++) {
		if (read_event(import, &knockd.events[i], &import_event))
			err = import_add(import, &import_event);
	}
	if (!err && !knockd.count)
		err = fail(-EINVAL, "%s has no events: is it a configuration of knockd?",
			   import->path);
	if (!err)
		write_knocks(import);
	free(import->closings);
	knockd_clear(&knockd);
	return err ?: import->failures ? -EINVAL : 0;
}

static int knock_import_run(const struct command *command, int argc, char **argv)
{
	struct import import = { 0 };
	cleanup_free char *text = NULL;
	int err, status = command_parse(command, &argc, argv, NULL);

	if (status)
		return status;
	import.path = argv[1];
	err = rules_file_text(import.path, &text) ?: import_text(&import, text);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command knock_import_entry = {
	.name = "knock import",
	.arguments = "FILE",
	.summary = "Convert a configuration of knockd to knocks",
	.help = "Prints a knock for each event of FILE (/etc/knockd.conf) whose command opens "
		"ports, and reports the events that it cannot convert. A command is converted "
		"only if all its words are understood.",
	.examples = "  portctl knock import /etc/knockd.conf >knocks\n",
	.words = { 1, 1 },
	.run = knock_import_run,
	.privileges = PRIVILEGES_FILES,
};
