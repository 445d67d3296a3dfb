// SPDX-License-Identifier: GPL-2.0-only
/* The metrics in Prometheus' text format and as OpenMetrics, and the choice between the two. */
#include "unit.h"

#include "print/metrics.h"

/* Metrics of one interface with one port shown, other ports and two lines; and of one knock. */
struct sample {
	struct interface iface;
	struct shown_port port;
	struct shown_ports ports;
	struct line_metrics lines[2];
	struct interface_metrics interface;
	struct door_metrics door;
	struct metrics metrics;
};

static void sample_init(struct sample *sample, const char *name)
{
	*sample = (struct sample){
		.iface = { .mode = "native", .ifindex = 7, .attached_at = 1800000000 },
		.port = { .key = 9, .value = { { 1, 60 }, { 1ull << 63, 3 } } },
		.ports = { .count = 1, .others[1] = { .drop = { 5, 500 } } },
		.lines = { { "drop 23", VERDICT_DROP, { 4, 40 } },
			   { "default", VERDICT_REJECT, { 0, 0 } } },
		.door = { .name = "ssh",
			  .counts = { .attempts = 1, .replays = 8 },
			  .grants = 2 },
		.metrics = { .interface_count = 1,
			     .door_count = 1,
			     .lockouts = 3,
			     .flows_refused = 4,
			     .rules = 5,
			     .pending = 6,
			     .seconds = 0.25 },
	};
	strncpy(sample->iface.name, name, IFNAMSIZ - 1);
	sample->ports.list = &sample->port;
	sample->interface = (struct interface_metrics){ .iface = &sample->iface,
							.ports = &sample->ports,
							.lines = sample->lines,
							.line_count = 2 };
	sample->metrics.interfaces = &sample->interface;
	sample->metrics.doors = &sample->door;
}

/* Returns the text; the caller frees it. */
static char *print(const struct metrics *metrics, enum exposition exposition)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	metrics_print(out, metrics, exposition);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not found: %s\nin:\n%s", part, text);
}

static void test_text_format(void **state)
{
	struct sample sample;
	char *text;

	(void)state;
	sample_init(&sample, "eth0");
	text = print(&sample.metrics, EXPOSITION_TEXT);
	assert_has(text,
		   "# TYPE portctl_port_packets_total counter\n"
		   "portctl_port_packets_total{interface=\"eth0\",proto=\"tcp\",port=\"9\","
		   "service=\"discard\",verdict=\"pass\"} 1\n"
		   "portctl_port_packets_total{interface=\"eth0\",proto=\"tcp\",port=\"9\","
		   "service=\"discard\",verdict=\"drop\"} 9223372036854775808\n"
		   "portctl_port_packets_total{interface=\"eth0\",proto=\"tcp\","
		   "port=\"other\",service=\"\",verdict=\"pass\"} 0\n");
	assert_has(text, "portctl_port_bytes_total{interface=\"eth0\",proto=\"udp\","
			 "port=\"other\",service=\"\",verdict=\"drop\"} 500\n"
			 "# HELP portctl_line_packets_total ");
	assert_has(text, "\nportctl_line_packets_total{interface=\"eth0\",line=\"default\","
			 "verdict=\"reject\"} 0\n");
	assert_has(text, "\nportctl_line_bytes_total{interface=\"eth0\",line=\"drop 23\","
			 "verdict=\"drop\"} 40\n");
	assert_has(text, "# TYPE portctl_interface_info gauge\nportctl_interface_info{"
			 "interface=\"eth0\",mode=\"native\",ifindex=\"7\"} 1\n");
	assert_has(text, "\nportctl_knock_attempts_total{door=\"ssh\"} 1\n");
	assert_has(text, "\nportctl_knock_steps_total{door=\"ssh\"} 0\n");
	assert_has(text, "\nportctl_knock_replays_total{door=\"ssh\"} 8\n");
	assert_has(text, "\nportctl_knock_active_grants{door=\"ssh\"} 2\n");
	assert_has(text, "\nportctl_knock_lockouts 3\n");
	assert_has(text, "\nportctl_flows_refused_total 4\n");
	assert_has(text, "\nportctl_rules 5\n");
	assert_has(text, "\nportctl_pending_confirmation_seconds 6\n");
	assert_has(text, "\nportctl_scrape_duration_seconds 0.250000\n");
	assert_null(strstr(text, "# EOF"));
	assert_null(strstr(text, "# UNIT"));
	free(text);
}

/* Both formats have the same samples; only the metadata differ. */
static void test_openmetrics(void **state)
{
	struct sample sample;
	char *text, *plain, *rest, *line, *at;

	(void)state;
	sample_init(&sample, "eth0");
	text = print(&sample.metrics, EXPOSITION_OPENMETRICS);
	assert_has(text, "# TYPE portctl_port_packets counter\nportctl_port_packets_total{");
	assert_has(text, "# TYPE portctl_port_bytes counter\n# UNIT portctl_port_bytes bytes\n"
			 "portctl_port_bytes_total{");
	assert_has(text, "# TYPE portctl_build info\nportctl_build_info{");
	assert_has(text,
		   "# TYPE portctl_flows_refused counter\nportctl_flows_refused_total 4\n");
	assert_string_equal(text + strlen(text) - 7, "\n# EOF\n");
	assert_null(strstr(text, "_total counter"));
	plain = print(&sample.metrics, EXPOSITION_TEXT);
	at = plain;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (*line == '#' || !*line)
			continue;
		at = strstr(at, line);
		assert_non_null(at);
	}
	free(plain);
	free(text);
}

static const struct {
	const char *name; /* an interface's, at most 15 bytes */
	const char *label;
} escapes[] = {
	{ "eth0.1", "eth0.1" },
	{ "a\"b\\c\nd", "a\\\"b\\\\c\\nd" },
	{ "gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F" },
	{ "\xE2\x82\xAC\xF0\x9F\x90\x9D", "\xE2\x82\xAC\xF0\x9F\x90\x9D" },
	/* not UTF-8: a lone byte, truncated, overlong, a surrogate, above U+10FFFF */
	{ "\xFFx", "\\\\xffx" },
	{ "\xC3", "\\\\xc3" },
	{ "\xE2\x82", "\\\\xe2\\\\x82" },
	{ "\xC0\xAF", "\\\\xc0\\\\xaf" },
	{ "\xE0\x80\xAF", "\\\\xe0\\\\x80\\\\xaf" },
	{ "\xED\xA0\x80", "\\\\xed\\\\xa0\\\\x80" },
	{ "\xF4\x90\x80\x80", "\\\\xf4\\\\x90\\\\x80\\\\x80" },
};

static void test_labels_are_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
		struct sample sample;
		char expected[256], *text;

		sample_init(&sample, escapes[i].name);
		sample.lines[0].text = (char *)escapes[i].name;
		text = print(&sample.metrics, EXPOSITION_TEXT);
		snprintf(expected, sizeof(expected), "{interface=\"%s\",line=\"%s\",verdict",
			 escapes[i].label, escapes[i].label);
		assert_has(text, expected);
		free(text);
	}
}

/* With nothing attached there are no series of ports, but the text is complete. */
static void test_nothing_attached(void **state)
{
	struct metrics metrics = { 0 };
	char *text = print(&metrics, EXPOSITION_OPENMETRICS);

	(void)state;
	assert_null(strstr(text, "{interface"));
	assert_has(text, "\nportctl_rules 0\n");
	assert_has(text, "\n# EOF\n");
	free(text);
}

#define OPENMETRICS "application/openmetrics-text"

static const struct {
	const char *accept;
	enum exposition exposition;
} accepts[] = {
	{ NULL, EXPOSITION_TEXT },
	{ "", EXPOSITION_TEXT },
	{ "*/*", EXPOSITION_TEXT },
	{ "text/plain", EXPOSITION_TEXT },
	{ OPENMETRICS, EXPOSITION_OPENMETRICS },
	{ "Application/OpenMetrics-Text ; version=1.0.0 , */*", EXPOSITION_OPENMETRICS },
	/* the header of Prometheus 2.42, and of later versions */
	{ OPENMETRICS ";version=1.0.0," OPENMETRICS
		      ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	  EXPOSITION_OPENMETRICS },
	{ OPENMETRICS
	  ";version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4",
	  EXPOSITION_OPENMETRICS },
	{ OPENMETRICS ";q=0.4,text/plain;q=0.5", EXPOSITION_TEXT },
	{ "text/plain;q=0.5," OPENMETRICS ";q=0.5", EXPOSITION_OPENMETRICS },
	{ OPENMETRICS ";q=0", EXPOSITION_TEXT },
	{ OPENMETRICS ";q=0.0,*/*", EXPOSITION_TEXT },
	{ OPENMETRICS ";version=0.0.1", EXPOSITION_TEXT },
	{ OPENMETRICS ";version=2.0.0", EXPOSITION_TEXT },
	{ OPENMETRICS "x", EXPOSITION_TEXT },
	/* an invalid quality counts as none */
	{ OPENMETRICS ";q=nan", EXPOSITION_TEXT },
	{ OPENMETRICS ";q=2", EXPOSITION_TEXT },
	{ OPENMETRICS ";q=-1", EXPOSITION_TEXT },
	{ OPENMETRICS ";q=", EXPOSITION_TEXT },
	{ ";;,,;q=1,", EXPOSITION_TEXT },
};

static void test_format_by_accept_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepts); i++) {
		if (exposition_choose(accepts[i].accept) != accepts[i].exposition)
			fail_msg("the other format for \"%s\"", accepts[i].accept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_format),
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_labels_are_escaped),
		cmocka_unit_test(test_nothing_attached),
		cmocka_unit_test(test_format_by_accept_header),
	};

	return run_suite("prometheus", tests);
}
