// SPDX-License-Identifier: GPL-2.0-only
/*
 * The JSON renderer. jansson writes everything except the rows of `stats`: there are up to
 * 131,072 of them, and building objects for them takes longer than the rest of the command.
 * The strings in these rows still come from jansson.
 */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/row.h"
#include "base/utf8.h"
#include "print/output.h"

static void json_print(FILE *out, json_t *json)
{
	json_dumpf(json, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(json);
}

/* Prints a JSON string with its quotes, or null for NULL. */
static void json_text(FILE *out, const char *text)
{
	json_t *string = text_json(text);

	json_dumpf(string, out, JSON_ENCODE_ANY | JSON_COMPACT);
	json_decref(string);
}

static void json_tally(struct row *row, const char *name, const struct tally *tally)
{
	row_text(row, "\"", 0);
	row_text(row, name, 0);
	row_text(row, "\":{\"packets\":", 0);
	row_number(row, tally->packets, 0);
	row_text(row, ",\"bytes\":", 0);
	row_number(row, tally->bytes, 0);
	row_text(row, "}", 0);
}

static void json_verdicts(struct row *row, const struct port_counter *counter)
{
	json_tally(row, "pass", &counter->pass);
	row_text(row, ",", 0);
	json_tally(row, "drop", &counter->drop);
}

static void json_rates(struct row *row, const struct stats_view *view, __u32 key)
{
	const struct port_counter *now = &view->now->ports[key];
	const struct port_counter *before = &view->before->ports[key];
	char text[64];

	snprintf(text, sizeof(text), ",\"rate\":{\"pass\":%.1f,\"drop\":%.1f}",
		 stats_rate(&before->pass, &now->pass, view->seconds),
		 stats_rate(&before->drop, &now->drop, view->seconds));
	row_text(row, text, 0);
}

static void json_port(struct row *row, const struct stats_view *view, __u32 key)
{
	const char *service = service_name(key);

	row_text(row, "{\"proto\":\"", 0);
	row_text(row, key_protocol(key), 0);
	row_text(row, "\",\"port\":", 0);
	row_number(row, key_port(key), 0);
	row_text(row, ",\"service\":", 0);
	if (service) {
		row_flush(row);
		json_text(row->out, service);
	} else {
		row_text(row, "null", 0);
	}
	row_text(row, ",\"class\":\"", 0);
	row_text(row, port_class(key_port(key)), 0);
	row_text(row, "\",", 0);
	json_verdicts(row, &view->now->ports[key]);
	if (view->before)
		json_rates(row, view, key);
	row_text(row, "}", 0);
}

struct line_printer {
	FILE *out;
	bool all;
	bool first;
};

static void json_line(const struct line_view *line, void *data)
{
	struct line_printer *printer = data;

	if (!printer->all && !line->shown && !line->tally->packets)
		return;
	fputs(printer->first ? "" : ",", printer->out);
	printer->first = false;
	fputs("{\"line\":", printer->out);
	json_text(printer->out, line->text);
	fprintf(printer->out,
		",\"verdict\":\"%s\",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
		verdict_name(line->verdict), (uint64_t)line->tally->packets,
		(uint64_t)line->tally->bytes);
}

static void json_lines(FILE *out, const struct stats_view *view, const struct ruleset *ruleset)
{
	struct line_printer printer = { out, view->all, true };

	output_each_line(view, ruleset, json_line, &printer);
}

static void json_view(FILE *out, const struct stats_view *view, const struct ruleset *ruleset)
{
	struct row row = { .out = out };

	fputs("{\"name\":", out);
	json_text(out, view->iface->name);
	fprintf(out, ",\"mode\":\"%s\",\"ports\":[", view->iface->mode);
	for (size_t i = 0; i < view->key_count; i++) {
		row_text(&row, i ? "," : "", 0);
		json_port(&row, view, view->keys[i]);
	}
	row_flush(&row);
	fputs("],\"lines\":[", out);
	json_lines(out, view, ruleset);
	row_text(&row, "],\"total\":{", 0);
	json_verdicts(&row, &view->now->total);
	row_text(&row, "}}", 0);
	row_flush(&row);
}

static void stats_json(FILE *out, const struct stats_view *views, size_t count,
		       const struct ruleset *ruleset)
{
	fputs("{\"interfaces\":[", out);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? "," : "", out);
		json_view(out, &views[i], ruleset);
	}
	fputs("]}\n", out);
}

static void list_json(FILE *out, const struct ruleset *ruleset, const struct tally *counts)
{
	json_t *rules = json_array(), *options = json_object();

	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];
		cleanup_free char *text = rule_text(rule, false);
		json_t *row = json_pack(
			"{s:i, s:o, s:s, s:I, s:I}", "number", (int)i + 1, "rule",
			text_json(text), "verdict", verdict_name(rule->action), "packets",
			(json_int_t)counts[i].packets, "bytes", (json_int_t)counts[i].bytes);

		json_object_set_new(row, "since", json_real(rule->since / 1e9));
		if (rule->comment)
			json_object_set_new(row, "comment", json_string(rule->comment));
		json_array_append_new(rules, row);
	}
	for (enum rule_option option = 0; option < OPTIONS; option++)
		json_object_set_new(
			options, option_table[option].name,
			json_string(option_value(option, ruleset->options[option])));
	json_print(out, json_pack("{s:s, s:o, s:o}", "default", action_name(ruleset->fallback),
				  "options", options, "rules", rules));
}

static void status_json(FILE *out, const struct status_view *view)
{
	json_t *interfaces = json_array();

	for (size_t i = 0; i < view->dp->count; i++) {
		const struct interface *iface = &view->dp->interfaces[i];
		struct tm utc;
		char when[32];

		strftime(when, sizeof(when), "%FT%TZ", gmtime_r(&iface->attached_at, &utc));
		json_array_append_new(interfaces,
				      json_pack("{s:o, s:s, s:i, s:s}", "name",
						text_json(iface->name), "mode", iface->mode,
						"ifindex", (int)iface->ifindex, "attached_at",
						when));
		if (interface_renamed(iface))
			json_object_set_new(json_array_get(interfaces, i), "device",
					    text_json(iface->device));
	}
	json_print(out, json_pack("{s:o, s:s, s:i, s:b, s:i, s:I, s:o}", "interfaces",
				  interfaces, "default", action_name(view->ruleset->fallback),
				  "rules", (int)view->ruleset->count, "saved", view->saved,
				  "pending", (int)view->pending, "flows_refused",
				  (json_int_t)view->refused, "knock_serve",
				  view->timed ? json_boolean(view->served) : json_null()));
}

const struct renderer json_renderer = {
	.stats = stats_json,
	.list = list_json,
	.status = status_json,
};
