// SPDX-License-Identifier: GPL-2.0-only
/* For people: aligned tables, coloured on a terminal only. */
#include <inttypes.h>
#include <string.h>

#include "output.h"
#include "util.h"

#define GREEN "\033[32m"
#define RED "\033[31m"
#define RESET "\033[0m"

/* What counts are coloured with; NULL: they are not. */
struct colours {
	const char *pass;
	const char *drop;
};

static struct colours choose_colours(FILE *out)
{
	if (isatty(fileno(out)) && !*env_or("NO_COLOR", ""))
		return (struct colours){ GREEN, RED };
	return (struct colours){ NULL, NULL };
}

/* A right-aligned count in a column, coloured if it is not zero. */
static void print_count(FILE *out, __u64 count, const char *colour)
{
	bool coloured = count && colour;

	put_text(out, " ", 1);
	put_text(out, coloured ? colour : "", 0);
	put_number(out, count, 12);
	put_text(out, coloured ? RESET : "", 0);
}

static void print_port(FILE *out, const struct stats_view *view, __u32 key,
		       const struct colours *colours)
{
	const struct port_counter *now = &view->now->ports[key];

	put_text(out, key_protocol(key), 5);
	put_number(out, key_port(key), 6);
	put_text(out, " ", 1);
	put_text(out, service_name(key) ?: "-", 16);
	put_text(out, " ", 1);
	put_text(out, port_class(key_port(key)), 10);
	print_count(out, now->pass.packets, colours->pass);
	print_count(out, now->drop.packets, colours->drop);
	put_text(out, " ", 1);
	put_number(out, now->pass.bytes + now->drop.bytes, 14);
	if (view->before) {
		const struct port_counter *before = &view->before->ports[key];

		fprintf(out, " %11.0f %11.0f",
			stats_rate(&before->pass, &now->pass, view->seconds),
			stats_rate(&before->drop, &now->drop, view->seconds));
	}
	fputc('\n', out);
}

/* Where lines are printed, and whether those that counted nothing are. */
struct line_printer {
	FILE *out;
	struct colours colours;
	bool all;
};

static void print_line(const struct line_view *line, void *data)
{
	const struct line_printer *printer = data;
	const struct colours *colours = &printer->colours;

	if (!printer->all && !line->tally->packets)
		return;
	put_text(printer->out, line->text, 42);
	put_text(printer->out, " ", 1);
	put_text(printer->out, verdict_name(line->verdict), 8);
	print_count(printer->out, line->tally->packets,
		    line->verdict == VERDICT_PASS ? colours->pass : colours->drop);
	put_text(printer->out, " ", 1);
	put_number(printer->out, line->tally->bytes, 14);
	fputc('\n', printer->out);
}

static void print_lines(FILE *out, const struct stats_view *view, const struct ruleset *ruleset)
{
	struct line_printer printer = { out, choose_colours(out), view->all };

	fprintf(out, "%-42s %-8s %12s %14s\n", "LINE", "VERDICT", "PACKETS", "BYTES");
	each_line(view, ruleset, print_line, &printer);
}

static void stats_table(FILE *out, const struct stats_view *views, size_t count,
			const struct ruleset *ruleset)
{
	struct colours colours = choose_colours(out);

	for (size_t i = 0; i < count; i++) {
		const struct stats_view *view = &views[i];

		fprintf(out, "%s%s (%s): %" PRIu64 " packets passed, %" PRIu64 " dropped\n\n",
			i ? "\n" : "", view->iface->name, view->iface->mode,
			(uint64_t)view->now->total.pass.packets,
			(uint64_t)view->now->total.drop.packets);
		fprintf(out, "%-5s %5s %-16s %-10s %12s %12s %14s%s\n", "PROTO", "PORT",
			"SERVICE", "CLASS", "PASSED", "DROPPED", "BYTES",
			view->before ? "    PASSED/S   DROPPED/S" : "");
		for (size_t k = 0; k < view->key_count; k++)
			print_port(out, view, view->keys[k], &colours);
		fputc('\n', out);
		print_lines(out, view, ruleset);
	}
	if (!count)
		fputs("portctl is attached to no interface: portctl attach IFACE\n", out);
}

static void list_table(FILE *out, const struct ruleset *ruleset, const struct tally *counts)
{
	struct colours colours = choose_colours(out);

	settings_print(ruleset, out);
	if (ruleset->count)
		fprintf(out, "\n%6s %12s %14s  %s\n", "NUMBER", "PACKETS", "BYTES", "RULE");
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		fprintf(out, "%6zu", i + 1);
		print_count(out, counts[i].packets,
			    rule->action == VERDICT_PASS ? colours.pass : colours.drop);
		fprintf(out, " %14" PRIu64 "  ", (uint64_t)counts[i].bytes);
		rule_print(rule, out, true);
		fputc('\n', out);
	}
}

static void status_table(FILE *out, const struct status_view *view)
{
	const struct datapath *dp = view->dp;

	if (dp->count)
		fprintf(out, "%-16s %-8s %7s  %s\n", "INTERFACE", "MODE", "IFINDEX",
			"ATTACHED");
	else
		fputs("attached to no interface\n", out);
	for (size_t i = 0; i < dp->count; i++) {
		const struct interface *iface = &dp->interfaces[i];
		struct tm local;
		char when[32];

		strftime(when, sizeof(when), "%F %T", localtime_r(&iface->attached_at, &local));
		fprintf(out, "%-16s %-8s %7u  %s\n", iface->name, iface->mode, iface->ifindex,
			when);
	}
	fprintf(out, "default %s, %zu rule%s, %s\n", action_name(view->ruleset->fallback),
		view->ruleset->count, view->ruleset->count == 1 ? "" : "s",
		view->saved ? "saved" : "not saved (portctl save)");
	if (view->pending)
		fprintf(out, "rolls back in %u s unless confirmed (portctl confirm)\n",
			view->pending);
	if (view->timed && !view->served)
		fputs("\"portctl knock serve\" does not run: doors with time-based sequences are "
		      "shut\n",
		      out);
	if (view->refused)
		fprintf(out,
			"%" PRIu64
			" flow%s refused: their table was full, so replies to %s were "
			"not let in\n",
			(uint64_t)view->refused, view->refused == 1 ? "" : "s",
			view->refused == 1 ? "it" : "them");
}

const struct renderer table_renderer = {
	.stats = stats_table,
	.list = list_table,
	.status = status_table,
};
