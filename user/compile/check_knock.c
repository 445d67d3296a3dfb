// SPDX-License-Identifier: GPL-2.0-only
#include "compile/check_knock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "compile/check_scan.h"
#include "compile/compile.h"
#include "compile/evaluate.h"
#include "compile/stranger.h"
#include "rules/totp.h"

/* Fewer steps, or fewer ports to choose them from, are easy to guess. */
#define STEPS_WANTED 3
#define RANGE_WANTED 1000

static void report_names(const struct ruleset *ruleset, struct report *report)
{
	const struct rule *knocks[MAX_DOORS];
	size_t count = 0;

	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (!rule->knock)
			continue;
		if (count == MAX_DOORS) {
			report_rule(report, SEVERITY_ERROR, rule->row,
				    "found too many knocks: expected at most %d", MAX_DOORS);
			return;
		}
		for (size_t k = 0; k < count; k++) {
			if (strcmp(knocks[k]->knock->name, rule->knock->name))
				continue;
			report_rule(report, SEVERITY_ERROR, rule->row,
				    "found the knock \"%s\", but %s %u has that name",
				    rule->knock->name, report_unit(report), knocks[k]->row);
		}
		knocks[count++] = rule;
	}
}

/*
 * A view is what a source that no rule names can reach. The first STRANGERS views are for now.
 * The others are for later, after the rules with "for" have ended: such rules are not saved.
 */
#define VIEWS (2 * STRANGERS)
#define CLOSED_NOW ((1u << STRANGERS) - 1)
#define CLOSED_ALWAYS ((1u << VIEWS) - 1)

/* What a check of all knocks finds, interface by interface. */
struct survey {
	const struct ruleset *ruleset; /* with doors and lines, see number_rules() */
	struct report *report;
	size_t first; /* the rules from here on are checked for warnings */
	struct prefix strangers[STRANGERS];
	/* For each port key on this interface: a bit for each view that finds it closed. */
	unsigned char *closed;
	/* For each rule: the interface on which a scan opens it; NULL: none. */
	const char **scanned;
	/* For each port key: an interface on which it is open, so touching it doesn't count. */
	const char **open;
};

/* The entry that decides for a view; now is 0, later the end of time. */
static entry_t view_entry(const struct survey *survey, int number, __u32 key,
			  const struct image *image)
{
	return evaluate_entry(image, key, &survey->strangers[number % STRANGERS],
			      number < STRANGERS ? 0 : ~0ull, 0);
}

static void find_closed(struct survey *survey, const struct image *image)
{
	const entry_t *entries = image->table.entries;
	unsigned char closed = 0;

	for (__u32 key = 0; key < PORT_KEYS; key++) {
		/* Neighbours often have the same entry, and then the same bits. */
		if (!key || entries[key] != entries[key - 1]) {
			closed = 0;
			for (int i = 0; i < VIEWS; i++) {
				entry_t entry = view_entry(survey, i, key, image);

				closed |= (entry_verdict(entry) != VERDICT_PASS) << i;
			}
		}
		survey->closed[key] = closed;
	}
}

/* The rule that opens this port to every source, or NULL. */
static const struct rule *opener_at(const struct survey *survey, __u32 key,
				    const struct image *image)
{
	for (int i = 0; i < VIEWS; i++) {
		entry_t entry = view_entry(survey, i, key, image);

		if (entry_verdict(entry) == VERDICT_PASS &&
		    entry_line(entry) >= LINE_FIRST_RULE)
			return &survey->ruleset->rules[entry_line(entry) - LINE_FIRST_RULE];
	}
	return NULL;
}

static const struct rule *opener_among(const struct survey *survey, __u32 first, __u32 last,
				       const struct image *image)
{
	const struct rule *found = NULL;

	for (__u32 key = first; key <= last && !found; key++) {
		if (survey->closed[key] != CLOSED_ALWAYS)
			found = opener_at(survey, key, image);
	}
	return found;
}

/* A rule that opens one of the door's ports to every source, or NULL. */
static const struct rule *opener_of_door(const struct survey *survey, const struct rule *door,
					 const struct image *image)
{
	const struct rule *found = NULL;

	for (size_t t = 0; t < door->term_count && !found; t++) {
		const struct term *term = &door->terms[t];

		if (term->transports & TRANSPORT_TCP)
			found = opener_among(survey, PORT_KEY_TCP + term->first,
					     PORT_KEY_TCP + term->last, image);
		if (!found && term->transports & TRANSPORT_UDP)
			found = opener_among(survey, PORT_KEY_UDP + term->first,
					     PORT_KEY_UDP + term->last, image);
	}
	return found;
}

static void report_open(const struct survey *survey, const struct rule *door,
			const struct image *image)
{
	const struct rule *rule = opener_of_door(survey, door, image);
	cleanup_free char *text = rule ? rule_text(rule, false) : NULL;
	struct report *report = survey->report;

	if (!rule)
		return;
	report_rule(report, SEVERITY_ERROR, door->row,
		    "found the knock \"%s\", but its door is open: %s %u (\"%s\") lets every "
		    "source in",
		    door->knock->name, report_unit(report), rule->row, text ?: "?");
}

static bool is_scanned_open(const struct survey *survey, const struct rule *rule)
{
	for (int i = 0; i < VIEWS; i++) {
		if (check_scan_opens(rule->knock, survey->closed, 1u << i))
			return true;
	}
	return false;
}

/*
 * Touching a port that a rule opens does not count. The default opens no step, since steps are
 * closed.
 */
static void note_step(struct survey *survey, __u32 key, const char *iface)
{
	if (!survey->open[key] && ~survey->closed[key] & CLOSED_NOW)
		survey->open[key] = iface;
}

static void note_steps(struct survey *survey, const struct knock *knock, const char *iface)
{
	if (knock->signed_key)
		note_step(survey, knock->signed_key, iface);
	for (__u32 index = 0; index < totp_range(knock); index++)
		note_step(survey, totp_key(&knock->range, index), iface);
	for (int kind = 0; kind < SEQUENCES; kind++) {
		for (__u32 i = 0; i < knock->sequences[kind].count; i++)
			note_step(survey, knock->sequences[kind].steps[i], iface);
	}
}

static void survey_image(const struct image *image, const char *iface, void *data)
{
	struct survey *survey = data;

	if (image->excess.rule) /* report_unused() reports it */
		return;
	find_closed(survey, image);
	for (size_t i = 0; i < survey->ruleset->count; i++) {
		const struct rule *rule = &survey->ruleset->rules[i];

		if (!rule->knock)
			continue;
		if (!*iface) /* opening it on one interface, as to a LAN, is a choice */
			report_open(survey, rule, image);
		if (i < survey->first)
			continue;
		note_steps(survey, rule->knock, iface);
		if (!survey->scanned[i] && is_scanned_open(survey, rule))
			survey->scanned[i] = iface;
	}
}

static bool has_equal_neighbours(const struct sequence *sequence)
{
	for (__u32 i = 1; i < sequence->count; i++) {
		if (sequence->steps[i] == sequence->steps[i - 1])
			return true;
	}
	return false;
}

/*
 * Whether the touches that open the door also close it if each SYN among them is sent once
 * more, as TCP does without an answer. Touches that are no closing step are ignored.
 */
static bool closes_itself(const struct knock *knock)
{
	const struct sequence *open = &knock->sequences[SEQUENCE_OPEN],
			      *close = &knock->sequences[SEQUENCE_CLOSE];
	__u32 done = 0;

	for (__u32 i = 0; i < 2 * open->count && done < close->count; i++) {
		__u32 key = open->steps[i % open->count];

		if (i < open->count || key < PORT_KEY_UDP)
			done += key == close->steps[done];
	}
	return close->count && done == close->count;
}

/* For a message about one interface. */
static const char *on(const char *iface)
{
	return *iface ? " on " : "";
}

static bool report_open_step(struct report *report, const struct rule *rule, __u32 key,
			     const struct survey *survey)
{
	const char *iface = survey->open[key];

	if (!iface)
		return false;
	report_rule(
		report, SEVERITY_WARNING, rule->row,
		"the knock \"%s\" has the step %u/%s, which a rule allows%s%s: touching it%s "
		"does not count",
		rule->knock->name, key_port(key), key_protocol(key), on(iface), iface,
		*iface ? " there" : "");
	return true;
}

static bool report_listener(struct report *report, const struct rule *rule, __u32 key)
{
	if (!report->listening || !report->listening[key])
		return false;
	report_rule(
		report, SEVERITY_WARNING, rule->row,
		"the knock \"%s\" has the step %u/%s, on which a program listens: as a step "
		"the port is closed",
		rule->knock->name, key_port(key), key_protocol(key));
	return true;
}

static void report_few_steps(struct report *report, const struct rule *rule, __u32 steps)
{
	if (steps && steps < STEPS_WANTED)
		report_rule(report, SEVERITY_WARNING, rule->row,
			    "the knock \"%s\" has %u step%s: fewer than %d are easy to guess",
			    rule->knock->name, steps, steps == 1 ? "" : "s", STEPS_WANTED);
}

/* Only a source with a grant has one to end, and its packets to the door pass uncounted. */
static void report_closing(struct report *report, const struct rule *rule)
{
	const struct sequence *close = &rule->knock->sequences[SEQUENCE_CLOSE];

	for (__u32 i = 0; i < close->count; i++) {
		if (!rule_has_key(rule, close->steps[i]))
			continue;
		report_rule(report, SEVERITY_WARNING, rule->row,
			    "the knock \"%s\" has the closing step %u/%s, which it opens: "
			    "touching it does not count for a source with a grant",
			    rule->knock->name, key_port(close->steps[i]),
			    key_protocol(close->steps[i]));
		return;
	}
}

static void report_steps(struct report *report, const struct rule *rule,
			 const struct survey *survey)
{
	const struct sequence *open = &rule->knock->sequences[SEQUENCE_OPEN];
	const char *scanned = survey->scanned[rule - survey->ruleset->rules];
	const char *name = rule->knock->name;

	if (scanned)
		report_rule(report, SEVERITY_ERROR, rule->row,
			    "found the knock \"%s\", which a scan of all ports%s%s would open: "
			    "give its steps another order",
			    name, on(scanned), scanned);
	else if (check_scan_one_way(open))
		report_rule(report, SEVERITY_WARNING, rule->row,
			    "the knock \"%s\" goes in one direction, as scans do: give its "
			    "steps another order",
			    name);
	if (closes_itself(rule->knock))
		report_rule(
			report, SEVERITY_WARNING, rule->row,
			"the knock \"%s\" has opening steps that also close it: a "
			"retransmitted SYN may do so, so give the closing steps other ports",
			name);
	report_closing(report, rule);
	report_few_steps(report, rule, open->count);
}

static void report_sequence(struct report *report, const struct rule *rule,
			    const struct sequence *sequence, const struct survey *survey)
{
	const char *name = rule->knock->name;

	if (has_equal_neighbours(sequence))
		report_rule(report, SEVERITY_WARNING, rule->row,
			    "the knock \"%s\" has the same step twice in a row: a "
			    "retransmitted packet counts as both",
			    name);
	for (__u32 i = 0; i < sequence->count; i++) {
		if (report_open_step(report, rule, sequence->steps[i], survey) ||
		    report_listener(report, rule, sequence->steps[i]))
			return;
	}
}

static void report_timed(struct report *report, const struct rule *rule,
			 const struct survey *survey)
{
	const struct knock *knock = rule->knock;
	__u32 range = totp_range(knock);

	report_few_steps(report, rule, knock->steps);
	if (range < RANGE_WANTED)
		report_rule(report, SEVERITY_WARNING, rule->row,
			    "the knock \"%s\" has %u ports to choose from: fewer than %d are "
			    "easy to guess",
			    knock->name, range, RANGE_WANTED);
	for (__u32 index = 0; index < range; index++) {
		__u32 key = totp_key(&knock->range, index);

		if (report_open_step(report, rule, key, survey) ||
		    report_listener(report, rule, key))
			return;
	}
}

static void report_signed(struct report *report, const struct rule *rule,
			  const struct survey *survey)
{
	const struct sequence port = { 1, { rule->knock->signed_key } };

	if (rule->knock->signed_key)
		report_sequence(report, rule, &port, survey);
}

/*
 * Counts the sequences that begin with each port key. Returns a key that begins too many, or
 * PORT_KEYS.
 */
static __u32 find_crowd(const struct knock *knock, unsigned char *begun)
{
	__u32 crowd = PORT_KEYS;

	for (int kind = 0; kind < SEQUENCES; kind++) {
		const struct sequence *sequence = &knock->sequences[kind];

		/* A sequence of one step leaves no attempt behind. */
		if (sequence->count > 1 && begun[sequence->steps[0]]++ >= ATTEMPT_WAYS)
			crowd = sequence->steps[0];
	}
	return crowd;
}

/* The data path keeps ATTEMPT_WAYS attempts of a source; one touch must not begin more. */
static int report_crowds(const struct survey *survey)
{
	cleanup_free unsigned char *begun = calloc(PORT_KEYS, 1);
	struct report *report = survey->report;

	for (size_t i = 0; i < survey->ruleset->count && begun; i++) {
		const struct rule *rule = &survey->ruleset->rules[i];
		__u32 key = rule->knock ? find_crowd(rule->knock, begun) : PORT_KEYS;

		if (key < PORT_KEYS && i >= survey->first)
			report_rule(
				report, SEVERITY_WARNING, rule->row,
				"the knock \"%s\" has a sequence that begins with %u/%s, as %d "
				"others do: no more are followed for one source, so choose "
				"another first step",
				rule->knock->name, key_port(key), key_protocol(key),
				ATTEMPT_WAYS);
	}
	return begun ? 0 : -ENOMEM;
}

static void report_weak(const struct survey *survey)
{
	struct report *report = survey->report;

	for (size_t i = survey->first; i < survey->ruleset->count; i++) {
		const struct rule *rule = &survey->ruleset->rules[i];

		if (!rule->knock)
			continue;
		report_steps(report, rule, survey);
		report_signed(report, rule, survey);
		if (rule->knock->secret)
			report_timed(report, rule, survey);
		for (int kind = 0; kind < SEQUENCES; kind++)
			report_sequence(report, rule, &rule->knock->sequences[kind], survey);
	}
}

static int check_image(const struct ruleset *ruleset, size_t first, struct report *report)
{
	cleanup_free const char **scanned = calloc(ruleset->count, sizeof(*scanned));
	cleanup_free const char **open = calloc(PORT_KEYS, sizeof(*open));
	cleanup_free unsigned char *closed = calloc(PORT_KEYS, 1);
	struct survey survey = {
		.ruleset = ruleset,
		.report = report,
		.first = first,
		.closed = closed,
		.scanned = scanned,
		.open = open,
	};
	int err = scanned && open && closed ? 0 : -ENOMEM;

	err = err ?: strangers_find(ruleset, survey.strangers);
	err = err ?: compile_each(ruleset, NULL, survey_image, &survey);
	if (err == -E2BIG) /* report_unused() reports it */
		return 0;
	if (err || report->errors)
		return err;
	report_weak(&survey);
	return report_crowds(&survey);
}

static bool ruleset_has_knock(const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].knock)
			return true;
	}
	return false;
}

/*
 * Copies the rules and gives them doors and lines, which rules that are only checked lack.
 * Without them no step would be closed, and no entry would tell which rule decides. Free the
 * list of rules, not what they hold: that is shared.
 */
static int number_rules(const struct ruleset *ruleset, struct ruleset *numbered)
{
	__u32 door = 0;

	*numbered = *ruleset;
	numbered->rules = calloc(ruleset->count, sizeof(*numbered->rules));
	if (!numbered->rules)
		return -ENOMEM;
	memcpy(numbered->rules, ruleset->rules, ruleset->count * sizeof(*numbered->rules));
	for (size_t i = 0; i < numbered->count; i++) {
		struct rule *rule = &numbered->rules[i];

		rule->line = LINE_FIRST_RULE + i;
		rule->door = rule->knock ? ++door : 0;
	}
	return 0;
}

int knocks_check(const struct ruleset *ruleset, size_t first, struct report *report)
{
	struct ruleset numbered;
	int err = 0;

	report_names(ruleset, report);
	if (!report->errors && ruleset_has_knock(ruleset)) {
		err = number_rules(ruleset, &numbered) ?: check_image(&numbered, first, report);
		free(numbered.rules);
	}
	return err ?: report->errors ? -EINVAL : 0;
}
