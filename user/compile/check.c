// SPDX-License-Identifier: GPL-2.0-only
#include "compile/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "compile/check_knock.h"
#include "compile/claims.h"
#include "compile/compile.h"
#include "rules/prefix.h"

static void report_contradiction(struct report *report, const struct want *a,
				 const struct want *b)
{
	const struct rule *earlier = a->rule < b->rule ? a->rule : b->rule;
	const struct want *later = earlier == a->rule ? b : a;
	cleanup_free char *text = rule_text(earlier, false);

	report_begin(report, SEVERITY_ERROR, later->rule->row);
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
		report_unit(report), earlier->row, text ?: "?", action_name(earlier->action));
}

/* Equally specific wants are neighbours, of one width, and sorted by their first port. */
static int report_contradictions(const struct ruleset *ruleset, struct report *report)
{
	cleanup_wants struct wants wants = { 0 };
	int err = wants_collect(&wants, ruleset);

	for (size_t i = 1; i < wants.count && !err; i++) {
		const struct want *a = &wants.list[i - 1], *b = &wants.list[i];

		if (!wants_compare(a, b) && b->term.first <= a->term.last &&
		    a->rule->action != b->rule->action)
			report_contradiction(report, a, b);
	}
	return err ?: report->errors ? -EINVAL : 0;
}

static void report_excess(const struct image *image, const char *iface, void *data)
{
	const struct excess *excess = &image->excess;
	struct report *report = data;
	cleanup_free char *text = NULL;

	(void)iface;
	if (!excess->rule)
		return;
	text = rule_text(excess->rule, false);
	report_begin(report, SEVERITY_ERROR, excess->rule->row);
	fprintf(report->out, "found \"%s\", but too many rules overlap", text ?: "?");
	if (excess->key < PORT_KEYS)
		fprintf(report->out, " for %u/%s", key_port(excess->key),
			key_protocol(excess->key));
	else if (excess->key < KEYS)
		fprintf(report->out, " for %u/ip", excess->key - KEY_PROTOCOL);
	fprintf(report->out,
		": expected at most %d port ranges, and %d rules with \"for\" or knocks\n",
		CHAIN_MAX, DETAIL_ENDING);
}

/*
 * The image without a named interface shows rules without "on" unused if they are unused
 * everywhere; each other image shows rules with that "on".
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
		report_rule(report, SEVERITY_WARNING, ruleset->rules[i].row,
			    "found \"%s\", which can never match: other rules decide about all "
			    "its packets",
			    text ?: "?");
	}
	return err;
}

/* Programs that listen on both families log IPv4 peers as mapped addresses. */
static void report_mapped(const struct rule *rule, const struct prefix *source,
			  struct report *report)
{
	struct prefix ipv4 = *source;

	if (!prefix_unmap(&ipv4))
		return;
	report_begin(report, SEVERITY_WARNING, rule->row);
	fputs("found \"", report->out);
	prefix_print(source, report->out);
	fputs("\", but IPv4 packets do not have such a source: expected ", report->out);
	prefix_print(&ipv4, report->out);
	fputc('\n', report->out);
}

static void report_all_mapped(const struct ruleset *ruleset, size_t first,
			      struct report *report)
{
	for (size_t i = first; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		for (size_t s = 0; s < rule->source_count; s++)
			report_mapped(rule, &rule->sources[s], report);
	}
}

int ruleset_check(const struct ruleset *ruleset, size_t first, struct report *report)
{
	report_all_mapped(ruleset, first, report);
	return report_contradictions(ruleset, report)
		       ?: knocks_check(ruleset, first, report)
		       ?: report_unused(ruleset, first, report);
}

/* Like ruleset_check(), but the messages go into *messages, to be freed. */
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

static int compare_lines(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Prints the lines of `messages` that `known` does not have. Both texts are cut up. */
static int print_new_lines(char *messages, char *known, size_t known_count, FILE *out)
{
	cleanup_free char **lines = calloc(known_count + 1, sizeof(*lines));
	size_t count = 0;
	char *line;

	if (!lines)
		return -ENOMEM;
	while (count < known_count && (lines[count] = strsep(&known, "\n")))
		count++;
	qsort(lines, count, sizeof(*lines), compare_lines);
	while ((line = strsep(&messages, "\n")) && messages) {
		if (!bsearch(&line, lines, count, sizeof(*lines), compare_lines))
			fprintf(out, "%s\n", line);
	}
	return 0;
}

int ruleset_check_change(const struct ruleset *next, const struct ruleset *running,
			 struct report *report)
{
	struct report after = *report, before = *report;
	cleanup_free char *messages = NULL, *known = NULL;
	int err = check_into(next, &after, &messages), known_err = 0;

	report->errors += after.errors;
	/* The running rules are checked only if there are warnings to compare. */
	if (err != -ENOMEM && after.warnings)
		known_err = check_into(running, &before, &known);
	if (err == -ENOMEM || known_err == -ENOMEM)
		return -ENOMEM;
	/*
	 * If the running rules have errors too, their warnings are unknown: print all messages.
	 */
	return print_new_lines(messages, known, known_err ? 0 : before.warnings, report->out)
		       ?: err;
}
