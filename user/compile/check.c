// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong with a ruleset as a whole. */
#include <errno.h>
#include <string.h>

#include "compile/claims.h"
#include "compile/compile.h"
#include "rules/prefix.h"
#include "base/array.h"
#include "base/cleanup.h"

void report_at(struct report *report, unsigned int *counter, const struct rule *rule)
{
	++*counter;
	fprintf(report->out, "%s:%u:1: %s", report->file, report->unit ? 1 : rule->row,
		counter == &report->warnings ? "warning: " : "");
}

static void report_contradiction(struct report *report, const struct want *a,
				 const struct want *b)
{
	const struct rule *earlier = a->rule < b->rule ? a->rule : b->rule;
	const struct want *later = earlier == a->rule ? b : a;
	cleanup_free char *text = rule_text(earlier, false);

	report_at(report, &report->errors, later->rule);
	fprintf(report->out, "found \"%s\"", action_name(later->rule->action));
	if (later->rule->term_count) {
		fputs(" for ", report->out);
		term_print(&later->term, report->out);
	}
	if (later->source) {
		fputs(" from ", report->out);
		prefix_print(later->source, report->out);
	}
	fprintf(report->out, ", but %s %u (\"%s\") is as specific and says \"%s\"\n",
		report->unit ?: "line", earlier->row, text ?: "?",
		action_name(earlier->action));
}

/*
 * Wants that are equals and overlap stand next to each other: all of a kind have
 * the same width and are sorted by their first port.
 */
static int report_contradictions(const struct ruleset *ruleset, struct report *report)
{
	struct wants wants;
	int err = wants_collect(&wants, ruleset);

	for (size_t i = 1; i < wants.count && !err; i++) {
		const struct want *a = &wants.list[i - 1], *b = &wants.list[i];

		if (!wants_compare(a, b) && b->term.first <= a->term.last &&
		    a->rule->action != b->rule->action)
			report_contradiction(report, a, b);
	}
	wants_clear(&wants);
	return err ?: report->errors ? -EINVAL : 0;
}

typedef void (*image_looker)(const struct image *image, const char *iface, void *data);

static void report_excess(const struct image *image, const char *iface, void *data)
{
	const struct excess *excess = &image->excess;
	struct report *report = data;
	cleanup_free char *text = NULL;

	(void)iface;
	if (!excess->rule)
		return;
	text = rule_text(excess->rule, false);
	report_at(report, &report->errors, excess->rule);
	fprintf(report->out, "found \"%s\", with which more rules stand one behind the other",
		text ?: "?");
	if (excess->key < PORT_KEYS)
		fprintf(report->out, " for %u/%s", key_port(excess->key),
			key_protocol(excess->key));
	else if (excess->key < KEYS)
		fprintf(report->out, " for %u/ip", excess->key - KEY_PROTOCOL);
	fprintf(report->out,
		" than a packet may ask: expected at most %d ranges, and %d rules with \"for\" "
		"or knocks\n",
		CHAIN_MAX, DETAIL_ENDING);
}

static int compile_for(const struct ruleset *ruleset, const char *iface, unsigned char *used,
		       image_looker look, void *data)
{
	cleanup_free struct image *image = large_calloc(1, sizeof(*image));
	int err = image ? compile(ruleset, iface, image, used) : -ENOMEM;

	if (!err || err == -E2BIG)
		look(image, iface, data);
	if (image)
		image_clear(image);
	return err;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

int compile_each(const struct ruleset *ruleset, unsigned char *used, image_looker look,
		 void *data)
{
	cleanup_free const char **names = calloc(ruleset->count + 1, sizeof(*names));
	int err = names ? compile_for(ruleset, "", used, look, data) : -ENOMEM;
	size_t count = 0;

	for (size_t i = 0; i < ruleset->count && !err; i++) {
		if (*ruleset->rules[i].iface)
			names[count++] = ruleset->rules[i].iface;
	}
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count && !err; i++) {
		if (!i || strcmp(names[i - 1], names[i]))
			err = compile_for(ruleset, names[i], used, look, data);
	}
	return err;
}

/*
 * A rule without "on" that decides nothing where no rule has one decides nothing
 * anywhere; a rule with "on" can only match there.
 */
static int report_unused(const struct ruleset *ruleset, size_t first, struct report *report)
{
	cleanup_free unsigned char *used = calloc(ruleset->count + 1, 1);
	int err = used ? compile_each(ruleset, used, report_excess, report) : -ENOMEM;

	if (err == -E2BIG)
		return -EINVAL;
	for (size_t i = first; i < ruleset->count && !err; i++) {
		cleanup_free char *text = NULL;

		if (used[i])
			continue;
		text = rule_text(&ruleset->rules[i], false);
		report_at(report, &report->warnings, &ruleset->rules[i]);
		fprintf(report->out,
			"found \"%s\", which can never match: other rules have all its "
			"packets\n",
			text ?: "?");
	}
	return err;
}

/* As programs print who came over IPv4 to a socket that takes both. */
static void report_mapped(const struct ruleset *ruleset, size_t first, struct report *report)
{
	for (size_t i = first; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		for (size_t s = 0; s < rule->source_count; s++) {
			const struct prefix *source = &rule->sources[s];
			struct prefix ipv4 = *source;

			if (!prefix_unmap(&ipv4))
				continue;
			report_at(report, &report->warnings, rule);
			fputs("found \"", report->out);
			prefix_print(source, report->out);
			fputs("\", which no packet of IPv4 has as its source: expected ",
			      report->out);
			prefix_print(&ipv4, report->out);
			fputc('\n', report->out);
		}
	}
}

int ruleset_check(const struct ruleset *ruleset, size_t first, struct report *report)
{
	report_mapped(ruleset, first, report);
	return report_contradictions(ruleset, report)
		       ?: knocks_check(ruleset, first, report)
		       ?: report_unused(ruleset, first, report);
}

/* As ruleset_check(), but into *messages, to be freed. */
static int check_into(const struct ruleset *ruleset, struct report *report, char **messages)
{
	size_t size;
	int err;

	report->out = open_memstream(messages, &size);
	if (!report->out)
		return -ENOMEM;
	err = ruleset_check(ruleset, 0, report);
	return fclose(report->out) ? -ENOMEM : err;
}

/* Prints those of the lines that are not among the known ones, of which both are cut up. */
static int print_others(char *messages, char *known, size_t known_count, FILE *out)
{
	cleanup_free char **lines = calloc(known_count + 1, sizeof(*lines));
	size_t count = 0;
	char *line;

	if (!lines)
		return -ENOMEM;
	while (count < known_count && (lines[count] = strsep(&known, "\n")))
		count++;
	qsort(lines, count, sizeof(*lines), compare_names);
	while ((line = strsep(&messages, "\n")) && messages) {
		if (!bsearch(&line, lines, count, sizeof(*lines), compare_names))
			fprintf(out, "%s\n", line);
	}
	return 0;
}

int ruleset_check_change(const struct ruleset *next, const struct ruleset *running,
			 struct report *report)
{
	struct report after = *report, before = *report;
	cleanup_free char *messages = NULL, *known = NULL;
	int err = check_into(next, &after, &messages), told = 0;

	report->errors += after.errors;
	/* Looked at only where there is something to compare. */
	if (err != -ENOMEM && after.warnings)
		told = check_into(running, &before, &known);
	if (err == -ENOMEM || told == -ENOMEM)
		return -ENOMEM;
	/* What is an error in it already is one still: told again. */
	return print_others(messages, known, told ? 0 : before.warnings, report->out) ?: err;
}
