// SPDX-License-Identifier: GPL-2.0-only
/*
 * For Prometheus, in its text format 0.0.4 and in OpenMetrics 1.0.0. These differ in
 * what a counter's family is called, in the type of what only has labels, and in
 * how they end. All samples of a family stand together.
 */
#include <inttypes.h>
#include <string.h>

#include "print/metrics.h"
#include "watch/events.h"
#include "base/array.h"
#include "base/utf8.h"

struct printer {
	FILE *out;
	const struct metrics *metrics;
	bool openmetrics;
	const char *name; /* of the family's samples */
};

enum family_type { COUNTER, GAUGE, INFO };

/* A family, and who prints its samples. `data` is up to that. */
struct family {
	const char *name; /* of its samples */
	enum family_type type;
	const char *unit; /* or NULL */
	const char *help; /* without a backslash or a newline, which would be escaped */
	void (*print)(const struct printer *printer, const struct family *family);
	size_t data;
};

/* One byte that is not UTF-8 would make Prometheus refuse all of it. */
static void print_escaped(FILE *out, const char *text)
{
	while (*text) {
		size_t length = utf8_length(text);

		if (!length)
			fprintf(out, "\\\\x%02x", (unsigned char)*text);
		else if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\\' || *text == '"')
			fprintf(out, "\\%c", *text);
		else
			fwrite(text, 1, length, out);
		text += length ?: 1;
	}
}

/* first: its brace opens before it. */
static void print_label(FILE *out, bool first, const char *name, const char *value)
{
	fprintf(out, "%c%s=\"", first ? '{' : ',', name);
	print_escaped(out, value);
	fputc('"', out);
}

static void print_count(FILE *out, __u64 count)
{
	fprintf(out, "} %" PRIu64 "\n", (uint64_t)count);
}

/* One number without labels. */
static void print_number(const struct printer *printer, __u64 number)
{
	fprintf(printer->out, "%s %" PRIu64 "\n", printer->name, (uint64_t)number);
}

/* What a family shows of a tally: its `data`. */
enum measure { PACKETS, BYTES };

static void print_verdict(const struct printer *printer, enum verdict verdict,
			  const struct tally *tally, enum measure measure)
{
	print_label(printer->out, false, "verdict", verdict_name(verdict));
	print_count(printer->out, measure == PACKETS ? tally->packets : tally->bytes);
}

struct port_labels {
	const char *interface;
	const char *proto;
	const char *port;
	const char *service;
};

static void print_port(const struct printer *printer, const struct port_labels *labels,
		       enum verdict verdict, const struct tally *tally, enum measure measure)
{
	fputs(printer->name, printer->out);
	print_label(printer->out, true, "interface", labels->interface);
	fprintf(printer->out, ",proto=\"%s\",port=\"%s\"", labels->proto, labels->port);
	print_label(printer->out, false, "service", labels->service);
	print_verdict(printer, verdict, tally, measure);
}

static void print_port_counter(const struct printer *printer, const struct port_labels *labels,
			       const struct port_counter *counter, enum measure measure)
{
	print_port(printer, labels, VERDICT_PASS, &counter->pass, measure);
	print_port(printer, labels, VERDICT_DROP, &counter->drop, measure);
}

static void print_interface_ports(const struct printer *printer,
				  const struct interface_metrics *iface, enum measure measure)
{
	const struct shown_ports *ports = iface->ports;

	for (size_t i = 0; i < ports->count; i++) {
		char number[8];
		struct port_labels labels = { iface->iface->name,
					      key_protocol(ports->list[i].key), number,
					      service_name(ports->list[i].key) ?: "" };

		snprintf(number, sizeof(number), "%u", key_port(ports->list[i].key));
		print_port_counter(printer, &labels, &ports->list[i].value, measure);
	}
	for (int i = 0; i < 2; i++) {
		struct port_labels labels = { iface->iface->name, i ? "udp" : "tcp", "other",
					      "" };

		print_port_counter(printer, &labels, &ports->others[i], measure);
	}
}

static void print_ports(const struct printer *printer, const struct family *family)
{
	for (size_t i = 0; i < printer->metrics->interface_count; i++)
		print_interface_ports(printer, &printer->metrics->interfaces[i], family->data);
}

static void print_lines(const struct printer *printer, const struct family *family)
{
	for (size_t i = 0; i < printer->metrics->interface_count; i++) {
		const struct interface_metrics *iface = &printer->metrics->interfaces[i];

		for (size_t l = 0; l < iface->line_count; l++) {
			const struct line_metrics *line = &iface->lines[l];

			fputs(printer->name, printer->out);
			print_label(printer->out, true, "interface", iface->iface->name);
			print_label(printer->out, false, "line", line->text);
			print_verdict(printer, line->verdict, &line->tally, family->data);
		}
	}
}

static void print_interfaces(const struct printer *printer, const struct family *family)
{
	(void)family;
	for (size_t i = 0; i < printer->metrics->interface_count; i++) {
		const struct interface *iface = printer->metrics->interfaces[i].iface;

		fputs(printer->name, printer->out);
		print_label(printer->out, true, "interface", iface->name);
		fprintf(printer->out, ",mode=\"%s\",ifindex=\"%u\"", iface->mode,
			iface->ifindex);
		print_count(printer->out, 1);
	}
}

static void print_attached(const struct printer *printer, const struct family *family)
{
	(void)family;
	for (size_t i = 0; i < printer->metrics->interface_count; i++) {
		const struct interface *iface = printer->metrics->interfaces[i].iface;

		fputs(printer->name, printer->out);
		print_label(printer->out, true, "interface", iface->name);
		print_count(printer->out, iface->attached_at);
	}
}

static void print_listening(const struct printer *printer, const struct family *family)
{
	(void)family;
	for (size_t i = 0; i < printer->metrics->interface_count; i++) {
		const struct interface_metrics *iface = &printer->metrics->interfaces[i];

		for (size_t p = 0; p < iface->listening_count; p++) {
			const struct listening_metrics *port = &iface->listening[p];

			fputs(printer->name, printer->out);
			print_label(printer->out, true, "interface", iface->iface->name);
			fprintf(printer->out, ",proto=\"%s\",port=\"%u\"",
				key_protocol(port->key), key_port(port->key));
			print_label(printer->out, false, "service",
				    service_name(port->key) ?: "");
			print_label(printer->out, false, "state", port_state_name(port->state));
			print_count(printer->out, 1);
		}
	}
}

static void print_door(const struct printer *printer, const char *name, __u64 count)
{
	fputs(printer->name, printer->out);
	print_label(printer->out, true, "door", name);
	print_count(printer->out, count);
}

static void print_doors(const struct printer *printer, const struct family *family)
{
	for (size_t i = 0; i < printer->metrics->door_count; i++) {
		const struct door_metrics *door = &printer->metrics->doors[i];

		print_door(printer, door->name,
			   *(const __u64 *)((const char *)&door->counts + family->data));
	}
}

static void print_grants(const struct printer *printer, const struct family *family)
{
	(void)family;
	for (size_t i = 0; i < printer->metrics->door_count; i++)
		print_door(printer, printer->metrics->doors[i].name,
			   printer->metrics->doors[i].grants);
}

static void print_lockouts(const struct printer *printer, const struct family *family)
{
	(void)family;
	print_number(printer, printer->metrics->lockouts);
}

static void print_refused(const struct printer *printer, const struct family *family)
{
	(void)family;
	print_number(printer, printer->metrics->flows_refused);
}

static void print_events(const struct printer *printer, const struct family *family)
{
	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
		const struct event_count *count = &printer->metrics->events[kind];

		fputs(printer->name, printer->out);
		print_label(printer->out, true, "event", event_name(kind));
		print_count(printer->out, *(const __u64 *)((const char *)count + family->data));
	}
}

static void print_told(const struct printer *printer, const struct family *family)
{
	print_events(printer, family);
	for (enum port_event event = 0; event < PORT_EVENTS; event++) {
		fputs(printer->name, printer->out);
		print_label(printer->out, true, "event", port_event_name(event));
		print_count(printer->out, printer->metrics->port_events[event]);
	}
}

static void print_rules(const struct printer *printer, const struct family *family)
{
	(void)family;
	print_number(printer, printer->metrics->rules);
}

static void print_pending(const struct printer *printer, const struct family *family)
{
	(void)family;
	print_number(printer, printer->metrics->pending);
}

static void print_build(const struct printer *printer, const struct family *family)
{
	(void)family;
	fprintf(printer->out, "%s{version=\"" VERSION "\",schema=\"%d\"} 1\n", printer->name,
		PORTCTL_SCHEMA);
}

static void print_duration(const struct printer *printer, const struct family *family)
{
	(void)family;
	fprintf(printer->out, "%s %.6f\n", printer->name, printer->metrics->seconds);
}

#define DOOR(what, help)                                                                       \
	{                                                                                      \
		"portctl_knock_" #what "_total", COUNTER, NULL, help, print_doors,             \
			offsetof(struct door_counts, what)                                     \
	}

static const struct family families[] = {
	{ "portctl_port_packets_total", COUNTER, NULL,
	  "Packets to a port; port other: to all ports that are not shown.", print_ports,
	  PACKETS },
	{ "portctl_port_bytes_total", COUNTER, "bytes", "Bytes of the frames to a port.",
	  print_ports, BYTES },
	{ "portctl_line_packets_total", COUNTER, NULL,
	  "Packets charged to a line: a rule, or a built-in reason.", print_lines, PACKETS },
	{ "portctl_line_bytes_total", COUNTER, "bytes",
	  "Bytes of the frames charged to a line.", print_lines, BYTES },
	{ "portctl_port_listening", GAUGE, NULL,
	  "Ports that something listens on for others, and what the outside sees of them.",
	  print_listening, 0 },
	{ "portctl_interface_info", INFO, NULL, "The interfaces that portctl is attached to.",
	  print_interfaces, 0 },
	{ "portctl_interface_attached_timestamp_seconds", GAUGE, "seconds",
	  "When portctl was attached, since 1970.", print_attached, 0 },
	DOOR(attempts, "First steps of a knock."),
	DOOR(steps, "Steps of a knock after the first."),
	DOOR(misses, "Wrong ports touched on the way."),
	DOOR(failures, "Attempts that had too many misses."),
	DOOR(grants, "Sources that were let in."),
	DOOR(closed, "Grants that a closing sequence ended."),
	DOOR(refusals, "Knocks of who is locked out, and grants without room."),
	DOOR(replays, "Signed knocks that came again."),
	{ "portctl_knock_active_grants", GAUGE, NULL, "Grants that have not ended.",
	  print_grants, 0 },
	{ "portctl_knock_lockouts", GAUGE, NULL, "Sources whose knocks are not heard now.",
	  print_lockouts, 0 },
	{ "portctl_flows_refused_total", COUNTER, NULL,
	  "Flows that found no place in their table: replies to them were not let in.",
	  print_refused, 0 },
	{ "portctl_events_total", COUNTER, NULL,
	  "Events told to those who watch; listen, gone, state: as scrapes find them.",
	  print_told, offsetof(struct event_count, sent) },
	{ "portctl_events_lost_total", COUNTER, NULL,
	  "Events over their rate, or for which a buffer was full; drops are sampled instead.",
	  print_events, offsetof(struct event_count, lost) },
	{ "portctl_rules", GAUGE, NULL, "Rules that run.", print_rules, 0 },
	{ "portctl_pending_confirmation_seconds", GAUGE, "seconds",
	  "Time until the change that waits to be confirmed is rolled back; 0: none waits.",
	  print_pending, 0 },
	{ "portctl_build_info", INFO, NULL, "The version of portctl, and of its maps' layout.",
	  print_build, 0 },
	{ "portctl_scrape_duration_seconds", GAUGE, "seconds",
	  "How long reading the counters took for this answer.", print_duration, 0 },
};

static void print_header(const struct printer *printer, const struct family *family)
{
	static const char *const types[] = { "counter", "gauge", "info" };
	static const char *const suffixes[] = { "_total", "", "_info" };
	int length = strlen(family->name);
	const char *type = types[family->type];

	if (printer->openmetrics)
		length -= strlen(suffixes[family->type]);
	else if (family->type == INFO)
		type = "gauge";
	fprintf(printer->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", length, family->name,
		family->help, length, family->name, type);
	if (printer->openmetrics && family->unit)
		fprintf(printer->out, "# UNIT %.*s %s\n", length, family->name, family->unit);
}

void metrics_print(FILE *out, const struct metrics *metrics, enum exposition exposition)
{
	struct printer printer = { out, metrics, exposition == EXPOSITION_OPENMETRICS, NULL };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		printer.name = families[i].name;
		print_header(&printer, &families[i]);
		families[i].print(&printer, &families[i]);
	}
	if (printer.openmetrics)
		fputs("# EOF\n", out);
}
