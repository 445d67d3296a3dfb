// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong, or weak, with the knocks of a ruleset. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "compile/check_scan.h"
#include "compile/compile.h"
#include "compile/evaluate.h"
#include "compile/stranger.h"
#include "rules/totp.h"
#include "base/cleanup.h"

#define STEPS_WANTED 3
#define RANGE_WANTED 1000

__attribute__((format(printf, 4, 5))) static void report_knock(struct report *report,
							       unsigned int *counter,
							       const struct rule *rule,
							       const char *format, ...)
{
	va_list arguments;

	report_at(report, counter, rule);
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

/* Each stranger now, and when all that ends has ended: such rules are not saved. */
#define VIEWS (2 * STRANGERS)
#define SHUT_NOW ((1u << STRANGERS) - 1)
#define SHUT_ALWAYS ((1u << VIEWS) - 1)

/* What is found out on each interface that rules name, and where they name none (""). */
struct hearing {
	const struct ruleset *ruleset; /* with numbers */
	struct report *report;
	size_t first; /* the knocks from this rule on are looked at */
	struct prefix strangers[STRANGERS];
	unsigned char *shut; /* of each port key there: a bit for each view that sees it shut */
	const char **scanned; /* of each rule: where a scan opens it; NULL: nowhere */
	const char **unheard; /* of each port key: where a step there is never heard */
};

static entry_t view(const struct hearing *hearing, int number, __u32 key,
		    const struct image *image)
{
	return evaluate_entry(image, key, &hearing->strangers[number % STRANGERS],
			      number < STRANGERS ? 0 : ~0ull, 0);
}

static void find_shut(struct hearing *hearing, const struct image *image)
{
	const entry_t *entries = image->table.entries;
	unsigned char shut = 0;

	for (__u32 key = 0; key < PORT_KEYS; key++) {
		/* Neighbours often have the same entry, and then the same answer. */
		if (!key || entries[key] != entries[key - 1]) {
			shut = 0;
			for (int i = 0; i < VIEWS; i++) {
				entry_t entry = view(hearing, i, key, image);

				shut |= (entry_verdict(entry) != VERDICT_PASS) << i;
			}
		}
		hearing->shut[key] = shut;
	}
}

/* The rule that lets everybody through at this port, or NULL. */
static const struct rule *opener_at(const struct hearing *hearing, __u32 key,
				    const struct image *image)
{
	for (int i = 0; i < VIEWS; i++) {
		entry_t entry = view(hearing, i, key, image);

		if (entry_verdict(entry) == VERDICT_PASS &&
		    entry_line(entry) >= LINE_FIRST_RULE)
			return &hearing->ruleset->rules[entry_line(entry) - LINE_FIRST_RULE];
	}
	return NULL;
}

static const struct rule *opener_among(const struct hearing *hearing, __u32 first, __u32 last,
				       const struct image *image)
{
	const struct rule *found = NULL;

	for (__u32 key = first; key <= last && !found; key++) {
		if (hearing->shut[key] != SHUT_ALWAYS)
			found = opener_at(hearing, key, image);
	}
	return found;
}

/* A rule that lets everybody through one of the door's ports, or NULL. */
static const struct rule *open_to_all(const struct hearing *hearing, const struct rule *door,
				      const struct image *image)
{
	const struct rule *found = NULL;

	for (size_t t = 0; t < door->term_count && !found; t++) {
		const struct term *term = &door->terms[t];

		if (term->transports & TRANSPORT_TCP)
			found = opener_among(hearing, PORT_KEY_TCP + term->first,
					     PORT_KEY_TCP + term->last, image);
		if (!found && term->transports & TRANSPORT_UDP)
			found = opener_among(hearing, PORT_KEY_UDP + term->first,
					     PORT_KEY_UDP + term->last, image);
	}
	return found;
}

static void report_open(const struct hearing *hearing, const struct rule *door,
			const struct image *image)
{
	const struct rule *rule = open_to_all(hearing, door, image);
	cleanup_free char *text = rule ? rule_text(rule, false) : NULL;
	struct report *report = hearing->report;

	if (!rule)
		return;
	report_knock(report, &report->errors, door,
		     "found the knock \"%s\", but its door stands open: %s %u (\"%s\") lets "
		     "everybody in",
		     door->knock->name, report->unit ?: "line", rule->row, text ?: "?");
}

static bool is_scanned_open(const struct hearing *hearing, const struct rule *rule)
{
	for (int i = 0; i < VIEWS; i++) {
		if (opens_by_scan(rule->knock, hearing->shut, 1u << i))
			return true;
	}
	return false;
}

/* No knock is heard where a rule lets everybody through; not the default: steps are shut. */
static void listen_at(struct hearing *hearing, __u32 key, const char *iface)
{
	if (!hearing->unheard[key] && ~hearing->shut[key] & SHUT_NOW)
		hearing->unheard[key] = iface;
}

static void listen_for(struct hearing *hearing, const struct knock *knock, const char *iface)
{
	if (knock->signed_key)
		listen_at(hearing, knock->signed_key, iface);
	for (__u32 place = 0; place < totp_range(knock); place++)
		listen_at(hearing, totp_key(&knock->range, place), iface);
	for (int kind = 0; kind < SEQUENCES; kind++) {
		for (__u32 i = 0; i < knock->sequences[kind].count; i++)
			listen_at(hearing, knock->sequences[kind].steps[i], iface);
	}
}

static void listen_on(const struct image *image, const char *iface, void *data)
{
	struct hearing *hearing = data;

	if (image->excess.rule) /* report_unused() says so */
		return;
	find_shut(hearing, image);
	for (size_t i = 0; i < hearing->ruleset->count; i++) {
		const struct rule *rule = &hearing->ruleset->rules[i];

		if (!rule->knock)
			continue;
		if (!*iface) /* to let all in on one interface is a choice, as of a LAN */
			report_open(hearing, rule, image);
		if (i < hearing->first)
			continue;
		listen_for(hearing, rule->knock, iface);
		if (!hearing->scanned[i] && is_scanned_open(hearing, rule))
			hearing->scanned[i] = iface;
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
 * Whether the touches that open the door close it, where nothing takes the SYNs among them
 * and each is sent once more. What is no step of the closing sequence does not count here.
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

/* Where it is said of one interface. */
static const char *on(const char *iface)
{
	return *iface ? " on " : "";
}

static bool report_unheard(struct report *report, const struct rule *rule, __u32 key,
			   const struct hearing *hearing)
{
	const char *iface = hearing->unheard[key];

	if (!iface)
		return false;
	report_knock(report, &report->warnings, rule,
		     "the knock \"%s\" has the step %u/%s, which a rule allows%s%s: it is "
		     "never heard%s",
		     rule->knock->name, key_port(key), key_protocol(key), on(iface), iface,
		     *iface ? " there" : "");
	return true;
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

/* Whoever is let in at a port is not heard there, and nobody else has a grant to end. */
static void report_closing(struct report *report, const struct rule *rule)
{
	const struct sequence *close = &rule->knock->sequences[SEQUENCE_CLOSE];

	for (__u32 i = 0; i < close->count; i++) {
		if (!rule_has_key(rule, close->steps[i]))
			continue;
		report_knock(report, &report->warnings, rule,
			     "the knock \"%s\" closes by %u/%s, which it opens: it is never "
			     "heard there from whom it has let in",
			     rule->knock->name, key_port(close->steps[i]),
			     key_protocol(close->steps[i]));
		return;
	}
}

static void report_steps(struct report *report, const struct rule *rule,
			 const struct hearing *hearing)
{
	const struct sequence *open = &rule->knock->sequences[SEQUENCE_OPEN];
	const char *scanned = hearing->scanned[rule - hearing->ruleset->rules];
	const char *name = rule->knock->name;

	if (scanned)
		report_knock(
			report, &report->errors, rule,
			"found the knock \"%s\", which a scan of all ports%s%s would open: "
			"give its steps another order",
			name, on(scanned), scanned);
	else if (goes_one_way(open))
		report_knock(report, &report->warnings, rule,
			     "the knock \"%s\" goes in one direction, as scans do: give its "
			     "steps another order",
			     name);
	if (closes_itself(rule->knock))
		report_knock(report, &report->warnings, rule,
			     "the knock \"%s\" closes by the steps that open it: a SYN that is "
			     "sent again may do it, so give the closing steps other ports",
			     name);
	report_closing(report, rule);
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
		if (report_unheard(report, rule, sequence->steps[i], hearing) ||
		    report_listener(report, rule, sequence->steps[i]))
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

		if (report_unheard(report, rule, key, hearing) ||
		    report_listener(report, rule, key))
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

/* Counts where a knock's sequences begin. A key where too many do, or PORT_KEYS. */
static __u32 find_crowd(const struct knock *knock, unsigned char *begun)
{
	__u32 crowd = PORT_KEYS;

	for (int kind = 0; kind < SEQUENCES; kind++) {
		const struct sequence *sequence = &knock->sequences[kind];

		/* One of a single step is done at once. */
		if (sequence->count > 1 && begun[sequence->steps[0]]++ >= ATTEMPT_WAYS)
			crowd = sequence->steps[0];
	}
	return crowd;
}

/* The data path keeps so many attempts of a source: a touch that begins more loses some. */
static int report_crowds(const struct hearing *hearing)
{
	cleanup_free unsigned char *begun = calloc(PORT_KEYS, 1);
	struct report *report = hearing->report;

	for (size_t i = 0; i < hearing->ruleset->count && begun; i++) {
		const struct rule *rule = &hearing->ruleset->rules[i];
		__u32 key = rule->knock ? find_crowd(rule->knock, begun) : PORT_KEYS;

		if (key < PORT_KEYS && i >= hearing->first)
			report_knock(report, &report->warnings, rule,
				     "the knock \"%s\" has a sequence that begins with %u/%s, "
				     "as %d before it do: of a source no more are followed, so "
				     "give it another first step",
				     rule->knock->name, key_port(key), key_protocol(key),
				     ATTEMPT_WAYS);
	}
	return begun ? 0 : -ENOMEM;
}

static void report_weak(const struct hearing *hearing)
{
	struct report *report = hearing->report;

	for (size_t i = hearing->first; i < hearing->ruleset->count; i++) {
		const struct rule *rule = &hearing->ruleset->rules[i];

		if (!rule->knock)
			continue;
		report_steps(report, rule, hearing);
		report_signed(report, rule, hearing);
		if (rule->knock->secret)
			report_timed(report, rule, hearing);
		for (int kind = 0; kind < SEQUENCES; kind++)
			report_sequence(report, rule, &rule->knock->sequences[kind], hearing);
	}
}

static int check_image(const struct ruleset *ruleset, size_t first, struct report *report)
{
	cleanup_free const char **scanned = calloc(ruleset->count, sizeof(*scanned));
	cleanup_free const char **unheard = calloc(PORT_KEYS, sizeof(*unheard));
	cleanup_free unsigned char *shut = calloc(PORT_KEYS, 1);
	struct hearing hearing = {
		.ruleset = ruleset,
		.report = report,
		.first = first,
		.shut = shut,
		.scanned = scanned,
		.unheard = unheard,
	};
	int err = scanned && unheard && shut ? 0 : -ENOMEM;

	err = err ?: strangers_find(ruleset, hearing.strangers);
	err = err ?: compile_each(ruleset, NULL, listen_on, &hearing);
	if (err == -E2BIG) /* report_unused() says so */
		return 0;
	if (err || report->errors)
		return err;
	report_weak(&hearing);
	return report_crowds(&hearing);
}

static bool has_knock(const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].knock)
			return true;
	}
	return false;
}

/*
 * The rules once more, with doors and lines: those that are only checked have none, and
 * then everybody would go through, no step be shut, and nobody know which rule decides.
 * Free the list, not what it holds.
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
	if (!report->errors && has_knock(ruleset)) {
		err = number_rules(ruleset, &numbered) ?: check_image(&numbered, first, report);
		free(numbered.rules);
	}
	return err ?: report->errors ? -EINVAL : 0;
}
