// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong, or weak, with the knocks of a ruleset. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "compile.h"
#include "evaluate.h"
#include "stranger.h"
#include "totp.h"
#include "util.h"

#define STEPS_WANTED 3
#define RANGE_WANTED 1000

/* `counter` is the report's of errors, or of warnings, which say that they are some. */
__attribute__((format(printf, 4, 5))) static void report_knock(struct report *report,
							       unsigned int *counter,
							       const struct rule *rule,
							       const char *format, ...)
{
	va_list arguments;

	++*counter;
	fprintf(report->out, "%s:%u:1: %s", report->file, rule->row,
		counter == &report->warnings ? "warning: " : "");
	va_start(arguments, format);
	vfprintf(report->out, format, arguments);
	va_end(arguments);
	fputc('\n', report->out);
}

static void report_names(const struct ruleset *ruleset, struct report *report)
{
	const struct rule *knocks[MAX_DOORS];
	size_t count = 0;

	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (!rule->knock)
			continue;
		if (count == MAX_DOORS) {
			report_knock(report, &report->errors, rule,
				     "found one knock more, expected at most %d", MAX_DOORS);
			return;
		}
		for (size_t k = 0; k < count; k++) {
			if (strcmp(knocks[k]->knock->name, rule->knock->name))
				continue;
			report_knock(report, &report->errors, rule,
				     "found the knock \"%s\", but %s %u has that name",
				     rule->knock->name, report->unit ?: "line", knocks[k]->row);
		}
		knocks[count++] = rule;
	}
}

static bool overlap(const struct term *a, const struct term *b)
{
	return a->transports & b->transports && a->first <= b->last && b->first <= a->last;
}

/* A rule that lets everybody through one of the door's ports, or NULL. */
static const struct rule *open_to_all(const struct ruleset *ruleset, const struct rule *door)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (rule->action != VERDICT_PASS || rule->source_count || rule->knock)
			continue;
		for (size_t t = 0; t < rule->term_count; t++) {
			for (size_t d = 0; d < door->term_count; d++) {
				if (overlap(&rule->terms[t], &door->terms[d]))
					return rule;
			}
		}
	}
	return NULL;
}

static void report_open(const struct ruleset *ruleset, const struct rule *door,
			struct report *report)
{
	const struct rule *rule = open_to_all(ruleset, door);
	cleanup_free char *text = rule ? rule_text(rule, false) : NULL;

	if (!rule)
		return;
	report_knock(report, &report->errors, door,
		     "found the knock \"%s\", but its door stands open: %s %u (\"%s\") lets "
		     "everybody in",
		     door->knock->name, report->unit ?: "line", rule->row, text ?: "?");
}

/* The rules as they are on an interface, and those who may come. */
struct hearing {
	struct image image;
	struct prefix strangers[STRANGERS];
};

/* 1 where each step is above the one before, -1 where each is below, else 0. */
static int direction(const struct sequence *sequence)
{
	int up = 0, down = 0;

	for (__u32 i = 1; i < sequence->count; i++) {
		up += sequence->steps[i] > sequence->steps[i - 1];
		down += sequence->steps[i] < sequence->steps[i - 1];
	}
	return up && up + 1 == (int)sequence->count	  ? 1
	       : down && down + 1 == (int)sequence->count ? -1
							  : 0;
}

/*
 * Whether a scan of all ports in one direction would open the door: between the steps
 * it touches no more shut ports than an attempt may have misses.
 */
static bool opens_by_scan(const struct rule *rule, const struct image *image,
			  const struct prefix *scanner)
{
	const struct sequence *open = &rule->knock->sequences[SEQUENCE_OPEN];
	int way = direction(open);
	__u32 missed = 0;

	for (__u32 i = 1; i < open->count && way; i++) {
		for (__u32 key = open->steps[i - 1] + way;
		     key != open->steps[i] && missed <= rule->knock->misses; key += way)
			missed += evaluate(image, key, scanner, 0) != VERDICT_PASS;
	}
	return way && missed <= rule->knock->misses;
}

static bool is_scanned_open(const struct rule *rule, const struct hearing *hearing)
{
	for (size_t i = 0; i < STRANGERS; i++) {
		if (opens_by_scan(rule, &hearing->image, &hearing->strangers[i]))
			return true;
	}
	return false;
}

static bool has_equal_neighbours(const struct sequence *sequence)
{
	for (__u32 i = 1; i < sequence->count; i++) {
		if (sequence->steps[i] == sequence->steps[i - 1])
			return true;
	}
	return false;
}

/* Whether a rule lets everybody through to this port, so that no knock there is heard. */
static bool is_unheard(const struct hearing *hearing, __u32 key)
{
	for (size_t i = 0; i < STRANGERS; i++) {
		entry_t entry =
			evaluate_entry(&hearing->image, key, &hearing->strangers[i], 0, 0);

		/* Where the default is allow, steps are shut by being steps. */
		if (entry_verdict(entry) == VERDICT_PASS &&
		    entry_line(entry) != LINE_DEFAULT_PASS)
			return true;
	}
	return false;
}

static void report_unheard(struct report *report, const struct rule *rule, __u32 key)
{
	report_knock(report, &report->warnings, rule,
		     "the knock \"%s\" has the step %u/%s, which a rule allows: it is never "
		     "heard",
		     rule->knock->name, key_port(key), key_protocol(key));
}

/* Whoever listens there is shut off by it being a step. */
static bool report_listener(struct report *report, const struct rule *rule, __u32 key)
{
	if (!report->listening || !report->listening[key])
		return false;
	report_knock(
		report, &report->warnings, rule,
		"the knock \"%s\" has the step %u/%s, on which something listens here: as a "
		"step it is shut",
		rule->knock->name, key_port(key), key_protocol(key));
	return true;
}

static void report_few_steps(struct report *report, const struct rule *rule, __u32 steps)
{
	if (steps && steps < STEPS_WANTED)
		report_knock(report, &report->warnings, rule,
			     "the knock \"%s\" has %u step%s: fewer than %d are guessed easily",
			     rule->knock->name, steps, steps == 1 ? "" : "s", STEPS_WANTED);
}

static void report_steps(struct report *report, const struct rule *rule,
			 const struct hearing *hearing)
{
	const struct sequence *open = &rule->knock->sequences[SEQUENCE_OPEN];
	const char *name = rule->knock->name;

	if (is_scanned_open(rule, hearing))
		report_knock(
			report, &report->errors, rule,
			"found the knock \"%s\", which a scan of all ports would open: give "
			"its steps another order",
			name);
	else if (direction(open))
		report_knock(report, &report->warnings, rule,
			     "the knock \"%s\" goes in one direction, as scans do: give its "
			     "steps another order",
			     name);
	report_few_steps(report, rule, open->count);
}

static void report_sequence(struct report *report, const struct rule *rule,
			    const struct sequence *sequence, const struct hearing *hearing)
{
	const char *name = rule->knock->name;

	if (has_equal_neighbours(sequence))
		report_knock(report, &report->warnings, rule,
			     "the knock \"%s\" has the same step twice on end: a packet that "
			     "is sent again counts as both",
			     name);
	for (__u32 i = 0; i < sequence->count; i++) {
		if (is_unheard(hearing, sequence->steps[i])) {
			report_unheard(report, rule, sequence->steps[i]);
			return;
		}
		if (report_listener(report, rule, sequence->steps[i]))
			return;
	}
}

static void report_timed(struct report *report, const struct rule *rule,
			 const struct hearing *hearing)
{
	const struct knock *knock = rule->knock;
	__u32 range = totp_range(knock);

	report_few_steps(report, rule, knock->steps);
	if (range < RANGE_WANTED)
		report_knock(report, &report->warnings, rule,
			     "the knock \"%s\" has %u ports to choose from: fewer than %d are "
			     "guessed easily",
			     knock->name, range, RANGE_WANTED);
	for (__u32 place = 0; place < range; place++) {
		__u32 key = totp_key(&knock->range, place);

		if (is_unheard(hearing, key)) {
			report_unheard(report, rule, key);
			return;
		}
		if (report_listener(report, rule, key))
			return;
	}
}

static void report_signed(struct report *report, const struct rule *rule,
			  const struct hearing *hearing)
{
	const struct sequence port = { 1, { rule->knock->signed_key } };

	if (rule->knock->signed_key)
		report_sequence(report, rule, &port, hearing);
}

int knocks_check(const struct ruleset *ruleset, size_t first, struct report *report)
{
	cleanup_free struct hearing *hearing = large_calloc(1, sizeof(*hearing));
	bool any = false;
	int err = 0;

	for (size_t i = 0; i < ruleset->count; i++)
		any |= ruleset->rules[i].knock != NULL;
	if (!any || !hearing)
		return any ? -ENOMEM : 0;
	report_names(ruleset, report);
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].knock)
			report_open(ruleset, &ruleset->rules[i], report);
	}
	if (report->errors)
		return -EINVAL;
	err = strangers_find(ruleset, hearing->strangers)
		      ?: compile(ruleset, "", &hearing->image, NULL);
	for (size_t i = first; i < ruleset->count && !err; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (!rule->knock)
			continue;
		report_steps(report, rule, hearing);
		report_signed(report, rule, hearing);
		if (rule->knock->secret)
			report_timed(report, rule, hearing);
		for (int kind = 0; kind < SEQUENCES; kind++)
			report_sequence(report, rule, &rule->knock->sequences[kind], hearing);
	}
	image_clear(&hearing->image);
	if (err == -E2BIG) /* report_unused() says so */
		err = 0;
	return err ?: report->errors ? -EINVAL : 0;
}
