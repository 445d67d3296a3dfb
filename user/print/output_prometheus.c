// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints metrics in the Prometheus text format 0.0.4 and in OpenMetrics 1.0.0. The formats
 * differ in the family name of a counter, in the type of families without a value (info), and
 * in the last line. Both require the samples of a family to be consecutive.
 */
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/utf8.h"
#include "print/metrics.h"
#include "watch/events.h"

struct printer {
	FILE *out;
	const struct metrics *metrics;
	bool openmetrics;
	const char *name; /* of the current family's samples */
};

enum family_type { COUNTER, GAUGE, INFO };

/* A metric family. `print` prints its samples; each function uses `data` in its own way. */
struct family {
	const char *name; /* of its samples */
	enum family_type type;
	const char *unit; /* or NULL */
	const char *help; /* not escaped: must not have a backslash, quote or newline */
	void (*print)(const struct printer *printer, const struct family *family);
	size_t data;
};

/* Prints a label value. Prometheus rejects a whole scrape for one byte that is not UTF-8. */
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

/* Prints a label. The first one also prints the opening brace. */
static void print_label(FILE *out, bool first, const char *name, const char *value)
{
	fprintf(out, "%c%s=\"", first ? '{' : ',', name);
	print_escaped(out, value);
	fputc('"', out);
}

/* Prints the closing brace and the value of a sample. */
static void print_count(FILE *out, __u64 count)
{
	fprintf(out, "} %" PRIu64 "\n", (uint64_t)count);
}

/* Prints a sample without labels. */
static void print_number(const struct printer *printer, __u64 number)
{
	fprintf(printer->out, "%s %" PRIu64 "\n", printer->name, (uint64_t)number);
}

/* Which number of a tally a family shows; it is the family's `data`. */
enum measure { PACKETS, BYTES };

static void print_verdict_sample(const struct printer *printer, enum verdict verdict,
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

static void print_port_sample(const struct printer *printer, const struct port_labels *labels,
			      enum verdict verdict, const struct tally *tally,
			      enum measure measure)
{
	fputs(printer->name, printer->out);
	print_label(printer->out, true, "interface", labels->interface);
	fprintf(printer->out, ",proto=\"%s\",port=\"%s\"", labels->proto, labels->port);
	print_label(printer->out, false, "service", labels->service);
	print_verdict_sample(printer, verdict, tally, measure);
}

static void print_port_counter(const struct printer *printer, const struct port_labels *labels,
			       const struct port_counter *counter, enum measure measure)
{
	print_port_sample(printer, labels, VERDICT_PASS, &counter->pass, measure);
	print_port_sample(printer, labels, VERDICT_DROP, &counter->drop, measure);
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

static void family_ports(const struct printer *printer, const struct family *family)
{
	for (size_t i = 0; i < printer->metrics->interface_count; i++)
		print_interface_ports(printer, &printer->metrics->interfaces[i], family->data);
}

static void family_lines(const struct printer *printer, const struct family *family)
{
	for (size_t i = 0; i < printer->metrics->interface_count; i++) {
		const struct interface_metrics *iface = &printer->metrics->interfaces[i];

		for (size_t l = 0; l < iface->line_count; l++) {
			const struct line_metrics *line = &iface->lines[l];

			fputs(printer->name, printer->out);
			print_label(printer->out, true, "interface", iface->iface->name);
			print_label(printer->out, false, "line", line->text);
			print_verdict_sample(printer, line->verdict, &line->tally,
					     family->data);
		}
	}
}

static void family_interfaces(const struct printer *printer, const struct family *family)
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

static void family_attached(const struct printer *printer, const struct family *family)
{
	(void)family;
	for (size_t i = 0; i < printer->metrics->interface_count; i++) {
		const struct interface *iface = printer->metrics->interfaces[i].iface;

		fputs(printer->name, printer->out);
		print_label(printer->out, true, "interface", iface->name);
		print_count(printer->out, iface->attached_at);
	}
}

static void family_listening(const struct printer *printer, const struct family *family)
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

static void print_door_sample(const struct printer *printer, const char *name, __u64 count)
{
	fputs(printer->name, printer->out);
	print_label(printer->out, true, "door", name);
	print_count(printer->out, count);
}

static void family_doors(const struct printer *printer, const struct family *family)
{
	for (size_t i = 0; i < printer->metrics->door_count; i++) {
		const struct door_metrics *door = &printer->metrics->doors[i];

		print_door_sample(printer, door->name,
				  *(const __u64 *)((const char *)&door->counts + family->data));
	}
}

static void family_grants(const struct printer *printer, const struct family *family)
{
	(void)family;
	for (size_t i = 0; i < printer->metrics->door_count; i++)
		print_door_sample(printer, printer->metrics->doors[i].name,
				  printer->metrics->doors[i].grants);
}

static void family_lockouts(const struct printer *printer, const struct family *family)
{
	(void)family;
	print_number(printer, printer->metrics->lockouts);
}

static void family_refused(const struct printer *printer, const struct family *family)
{
	(void)family;
	print_number(printer, printer->metrics->flows_refused);
}

static void family_events(const struct printer *printer, const struct family *family)
{
	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
		const struct event_count *count = &printer->metrics->events[kind];

		fputs(printer->name, printer->out);
		print_label(printer->out, true, "event", event_name(kind));
		print_count(printer->out, *(const __u64 *)((const char *)count + family->data));
	}
}

static void family_events_sent(const struct printer *printer, const struct family *family)
{
	family_events(printer, family);
	for (enum port_event event = 0; event < PORT_EVENTS; event++) {
		fputs(printer->name, printer->out);
		print_label(printer->out, true, "event", port_event_name(event));
		print_count(printer->out, printer->metrics->port_events[event]);
	}
}

static void family_rules(const struct printer *printer, const struct family *family)
{
	(void)family;
	print_number(printer, printer->metrics->rules);
}

static void family_pending(const struct printer *printer, const struct family *family)
{
	(void)family;
	print_number(printer, printer->metrics->pending);
}

static void family_build(const struct printer *printer, const struct family *family)
{
	(void)family;
	fprintf(printer->out, "%s{version=\"" VERSION "\",schema=\"%d\"} 1\n", printer->name,
		PORTCTL_SCHEMA);
}

static void family_duration(const struct printer *printer, const struct family *family)
{
	(void)family;
	fprintf(printer->out, "%s %.6f\n", printer->name, printer->metrics->seconds);
}

#define DOOR(what, help)                                                                       \
	{                                                                                      \
		"portctl_knock_" #what "_total", COUNTER, NULL, help, family_doors,            \
			offsetof(struct door_counts, what)                                     \
	}

static const struct family families[] = {
	{ "portctl_port_packets_total", COUNTER, NULL,
	  "Packets to a port; port other: all ports without a series of their own.",
	  family_ports, PACKETS },
	{ "portctl_port_bytes_total", COUNTER, "bytes", "Bytes of the frames to a port.",
	  family_ports, BYTES },
	{ "portctl_line_packets_total", COUNTER, NULL,
	  "Packets counted by a line: a rule, or a built-in reason.", family_lines, PACKETS },
	{ "portctl_line_bytes_total", COUNTER, "bytes",
	  "Bytes of the frames counted by a line.", family_lines, BYTES },
	{ "portctl_port_listening", GAUGE, NULL,
	  "Ports on which something listens for other hosts, and the state that they see.",
	  family_listening, 0 },
	{ "portctl_interface_info", INFO, NULL, "The interfaces that portctl is attached to.",
	  family_interfaces, 0 },
	{ "portctl_interface_attached_timestamp_seconds", GAUGE, "seconds",
	  "When portctl was attached, in seconds since 1970.", family_attached, 0 },
	DOOR(attempts, "First steps of a knock."),
	DOOR(steps, "Steps of a knock after the first."),
	DOOR(misses, "Wrong ports touched during an attempt."),
	DOOR(failures, "Attempts that failed with too many misses."),
	DOOR(grants, "Grants given to sources."),
	DOOR(closed, "Grants ended by a closing sequence."),
	DOOR(refusals, "Knocks refused: the source is locked out, or the grant table is full."),
	DOOR(replays, "Signed knocks that were replayed."),
	{ "portctl_knock_active_grants", GAUGE, NULL, "Grants in force.", family_grants, 0 },
	{ "portctl_knock_lockouts", GAUGE, NULL, "Sources that are locked out from knocking.",
	  family_lockouts, 0 },
	{ "portctl_flows_refused_total", COUNTER, NULL,
	  "Flows that did not fit the full flow table: replies to them were not let in.",
	  family_refused, 0 },
	{ "portctl_events_total", COUNTER, NULL,
	  "Events sent to watchers; events listen, gone and state are found by scrapes.",
	  family_events_sent, offsetof(struct event_count, sent) },
	{ "portctl_events_lost_total", COUNTER, NULL,
	  "Events lost: over their rate, or a buffer was full. Drops are sampled instead.",
	  family_events, offsetof(struct event_count, lost) },
	{ "portctl_rules", GAUGE, NULL, "Rules in force.", family_rules, 0 },
	{ "portctl_pending_confirmation_seconds", GAUGE, "seconds",
	  "Time until an unconfirmed change is rolled back; 0: there is none.", family_pending,
	  0 },
	{ "portctl_build_info", INFO, NULL, "The version of portctl, and of its map layout.",
	  family_build, 0 },
	{ "portctl_scrape_duration_seconds", GAUGE, "seconds",
	  "How long reading the counters took for this scrape.", family_duration, 0 },
};

static void print_family_header(const struct printer *printer, const struct family *family)
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
		print_family_header(&printer, &families[i]);
		families[i].print(&printer, &families[i]);
	}
	if (printer.openmetrics)
		fputs("# EOF\n", out);
}
