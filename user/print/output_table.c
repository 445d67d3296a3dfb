// SPDX-License-Identifier: GPL-2.0-only
/* The table renderer: aligned columns, with colours on a terminal only. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/row.h"
#include "print/output.h"

#define GREEN "\033[32m"
#define RED "\033[31m"
#define RESET "\033[0m"

/* The escape sequences for counts; NULL: no colours. */
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

/* Appends a count as a column, coloured if it is not zero. */
static void table_count(struct row *row, __u64 count, const char *colour)
{
	bool coloured = count && colour;

	row_text(row, " ", 0);
	row_text(row, coloured ? colour : "", 0);
	row_number(row, count, 12);
	row_text(row, coloured ? RESET : "", 0);
}

static void table_rates(struct row *row, const struct stats_view *view, __u32 key)
{
	const struct port_counter *now = &view->now->ports[key];
	const struct port_counter *before = &view->before->ports[key];
	char text[64];

	snprintf(text, sizeof(text), " %11.0f %11.0f",
		 stats_rate(&before->pass, &now->pass, view->seconds),
		 stats_rate(&before->drop, &now->drop, view->seconds));
	row_text(row, text, 0);
}

static void table_port(struct row *row, const struct stats_view *view, __u32 key,
		       const struct colours *colours)
{
	const struct port_counter *now = &view->now->ports[key];

	row_text(row, key_protocol(key), 5);
	row_number(row, key_port(key), 6);
	row_text(row, " ", 0);
	row_text(row, service_name(key) ?: "-", 16);
	row_text(row, " ", 0);
	row_text(row, port_class(key_port(key)), 10);
	table_count(row, now->pass.packets, colours->pass);
	table_count(row, now->drop.packets, colours->drop);
	row_number(row, now->pass.bytes + now->drop.bytes, 15);
	if (view->before)
		table_rates(row, view, key);
	row_text(row, "\n", 0);
}

struct line_printer {
	struct row row;
	struct colours colours;
	bool all; /* print lines without packets too */
};

static void table_line(const struct line_view *line, void *data)
{
	struct line_printer *printer = data;
	const struct colours *colours = &printer->colours;
	struct row *row = &printer->row;

	if (!printer->all && !line->tally->packets)
		return;
	row_text(row, line->text, 42);
	row_text(row, " ", 0);
	row_text(row, verdict_name(line->verdict), 8);
	table_count(row, line->tally->packets,
		    line->verdict == VERDICT_PASS ? colours->pass : colours->drop);
	row_number(row, line->tally->bytes, 15);
	row_text(row, "\n", 0);
}

static void table_lines(FILE *out, const struct stats_view *view, const struct ruleset *ruleset)
{
	struct line_printer printer = { { .out = out }, choose_colours(out), view->all };

	fprintf(out, "%-42s %-8s %12s %14s\n", "LINE", "VERDICT", "PACKETS", "BYTES");
	output_each_line(view, ruleset, table_line, &printer);
	row_flush(&printer.row);
}

static void stats_table(FILE *out, const struct stats_view *views, size_t count,
			const struct ruleset *ruleset)
{
	struct colours colours = choose_colours(out);
	struct row row = { .out = out };

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
			table_port(&row, view, view->keys[k], &colours);
		row_flush(&row);
		fputc('\n', out);
		table_lines(out, view, ruleset);
	}
	if (!count)
		fputs("portctl is attached to no interface: portctl attach IFACE\n", out);
}

static void list_table(FILE *out, const struct ruleset *ruleset, const struct tally *counts)
{
	struct colours colours = choose_colours(out);
	struct row row = { .out = out };

	settings_print(ruleset, out);
	if (ruleset->count)
		fprintf(out, "\n%6s %12s %14s  %s\n", "NUMBER", "PACKETS", "BYTES", "RULE");
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		row_number(&row, i + 1, 6);
		table_count(&row, counts[i].packets,
			    rule->action == VERDICT_PASS ? colours.pass : colours.drop);
		row_number(&row, counts[i].bytes, 15);
		row_text(&row, "  ", 0);
		row_flush(&row);
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
		fprintf(out, "%-16s %-8s %7u  %s%s%s\n", iface->name, iface->mode,
			iface->ifindex, when, interface_renamed(iface) ? "  now " : "",
			interface_renamed(iface) ? iface->device : "");
	}
	fprintf(out, "default %s, %zu rule%s, %s\n", action_name(view->ruleset->fallback),
		view->ruleset->count, view->ruleset->count == 1 ? "" : "s",
		view->saved ? "saved" : "not saved (portctl save)");
	if (view->pending)
		fprintf(out, "rolls back in %u s unless confirmed (portctl confirm)\n",
			view->pending);
	if (view->timed && !view->served)
		fputs("\"portctl knock serve\" is not running: TOTP knocks open nothing\n",
		      out);
	if (view->refused)
		fprintf(out,
			"%" PRIu64 " flow%s refused: the flow table was full, so replies were "
			"not let in\n",
			(uint64_t)view->refused, view->refused == 1 ? "" : "s");
}

const struct renderer table_renderer = {
	.stats = stats_table,
	.list = list_table,
	.status = status_table,
};
