// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verdicts that depend on more than the port: sources, expiry, lifelines (cases_judge.h),
 * limits, and the sampling of dropped packets. Replies are in test_replies.c.
 */
#include <time.h>

#include "cases_judge.h"
#include "charged.h"
#include "../sandbox.h"
#include "rate.h"

static const struct {
	const char *name;
	const struct packet_case *cases;
	size_t count;
} tables[] = {
	{ "sources", cases_sources, ARRAY_SIZE(cases_sources) },
	{ "rules without ports", cases_portless, ARRAY_SIZE(cases_portless) },
	{ "expiry", cases_ends, ARRAY_SIZE(cases_ends) },
	{ "lifelines", cases_lifelines, ARRAY_SIZE(cases_lifelines) },
};

static void run_case(struct filter *filter, const char *table, const struct packet_case *packet)
{
	static const char *const tags[] = { "", ", tagged", ", tagged twice" };
	struct frame frame;

	filter_rules(filter, 0, packet->rules);
	build(&frame, packet->layers);
	for (int n = 0; n < 3; n++) {
		if (n)
			add_tag_to_frame(&frame, n == 1 ? 0x8100 : 0x88A8);
		expect(filter, &frame, packet->verdict, packet->line, packet->key);
		tap_end("%s: %s%s: %s", table, packet->name, tags[n],
			verdict_name(packet->verdict));
	}
}

/* Expects that `count` packets pass and the next two are over the limit. */
static void expect_burst(struct filter *filter, const struct frame *frame, int count, __u32 key)
{
	for (int i = 0; i < count; i++)
		expect(filter, frame, VERDICT_PASS, "#1", key);
	expect(filter, frame, VERDICT_DROP, "#1 limited", key);
	expect(filter, frame, VERDICT_DROP, "#1 limited", key);
}

static void test_limit(void)
{
	struct filter filter;
	struct frame frame;

	load_rules(&filter, "default drop\nallow 53 54/udp limit 10/h burst 5");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 5, U(53));
	tap_end("limit: the burst passes, then nothing");
	BUILD(&frame, IP6(), UDP(54));
	expect(&filter, &frame, VERDICT_DROP, "#1 limited", U(54));
	tap_end("limit: all ports and sources of a rule share its limit");
	filter_close(&filter);
	load_rules(&filter, "default drop\nallow 53 limit 10/h");
	BUILD(&frame, IP4(), TCP(53));
	expect_burst(&filter, &frame, 1, T(53));
	tap_end("limit: below 1/s the burst is 1");
	filter_close(&filter);
	load_rules(&filter, "default drop\nallow from 192.0.2.0/24 limit 10/h burst 2");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 2, U(53));
	tap_end("limit: a rule without ports");
	filter_close(&filter);
}

static void sleep_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static void test_limit_rate(void)
{
	static const struct rate slow = { VERDICT_PASS, 100, 10 };
	static const struct rate echo = { VERDICT_PASS, 1000, 1000 };
	struct filter filter;
	struct frame frame;

	load_rules(&filter, "default drop\nallow 53 limit 100/s burst 10");
	BUILD(&frame, IP4(), UDP(53));
	check_burst(&filter, &frame, &slow);
	check_rate(&filter, &frame, &slow);
	tap_end("limit: 100/s passes its burst, then 50 packets in half a second");
	sleep_ms(300);
	check_burst(&filter, &frame, &slow);
	tap_end("limit: a pause does not make the burst larger");
	filter_close(&filter);
	load_rules(&filter, "default drop");
	BUILD(&frame, IP4(), ICMP4(8));
	check_burst(&filter, &frame, &echo);
	check_rate(&filter, &frame, &echo);
	filter_changes(&filter, &(struct changes){ 0 });
	while (!filter_run(&filter, &frame, 1, &(__u32){ 0 }) &&
	       !counter_line(&filter.now, LINE_ECHO_LIMITED).packets)
		;
	tap_end("echo: 1000 requests a second and 1000 at once; others are \"echo limited\"");
	filter_close(&filter);
}

/* Offset of the last byte of an IPv4 source, of an IPv6 source's /64, and of an IPv6 source. */
#define SOURCE4_END (ETHERNET_HEADER + 15)
#define SOURCE6_NET_END (ETHERNET_HEADER + 15)
#define SOURCE6_END (ETHERNET_HEADER + 23)

static void test_limit_per_source(void)
{
	struct filter filter;
	struct frame frame;

	load_rules(&filter, "default drop\nallow 53 limit 10/h burst 3 per source");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 3, U(53));
	frame.bytes[SOURCE4_END]++;
	expect_burst(&filter, &frame, 3, U(53));
	frame.bytes[SOURCE4_END]--;
	expect(&filter, &frame, VERDICT_DROP, "#1 limited", U(53));
	tap_end("limit per source: counts each IPv4 address apart");
	BUILD(&frame, IP6(), UDP(53));
	expect_burst(&filter, &frame, 3, U(53));
	frame.bytes[SOURCE6_END]++;
	expect(&filter, &frame, VERDICT_DROP, "#1 limited", U(53));
	frame.bytes[SOURCE6_NET_END]++;
	expect_burst(&filter, &frame, 3, U(53));
	tap_end("limit per source: counts each IPv6 /64 apart");
	filter_close(&filter);
	load_rules(&filter, "default drop\nallow 53 limit 10/h burst 3 per source\n"
			    "allow 54 limit 10/h burst 1 per source");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 3, U(53));
	BUILD(&frame, IP4(), UDP(54));
	expect(&filter, &frame, VERDICT_PASS, "#2", U(54));
	tap_end("limit per source: counts each rule apart");
	filter_close(&filter);
}

/* Drops the frame this many times. Returns how many of these drops were sampled. */
static unsigned int samples_of(struct filter *filter, const struct frame *frame,
			       unsigned int drops)
{
	struct sampling *sampling = &filter->program->bss->sampling;
	__u32 before = sampling->count, verdict;

	if (filter_run(filter, frame, drops, &verdict) || verdict != VERDICT_DROP)
		tap_wrong("the frame is not dropped");
	return sampling->count - before;
}

static void test_samples(void)
{
	static const unsigned int limits[] = { 0, 1, 10, 254, 255 };
	struct frame one, other;
	struct filter filter;

	load_rules(&filter, "default drop");
	BUILD(&one, IP4(), UDP(53));
	BUILD(&other, IP6(), UDP(54));
	if (samples_of(&filter, &one, 20))
		tap_wrong("some drops were sampled");
	tap_end("samples: none while nobody watches");
	filter.program->data_control->control.watchers = 1;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		unsigned int limit = limits[i];

		memset(&filter.program->bss->sampling, 0, sizeof(struct sampling));
		filter.program->data_control->control.samples = limit;
		if (samples_of(&filter, &one, 1) != !!limit ||
		    samples_of(&filter, &one, 1000) != (limit ? limit - 1 : 0) ||
		    samples_of(&filter, &one, 1000) ||
		    samples_of(&filter, &other, 300) != limit)
			tap_wrong("%u samples in all", filter.program->bss->sampling.count);
		tap_end("samples: at most %u of one port, and as many of another", limit);
	}
	filter.program->bss->sampling.count = EVENT_RATE - 3;
	BUILD(&one, IP4(), UDP(55));
	if (samples_of(&filter, &one, 100) != 3)
		tap_wrong("not 3 drops were sampled");
	tap_end("samples: at most %d of all ports", EVENT_RATE);
	filter.program->data_control->control.watchers = 0;
	filter_close(&filter);
}

int main(void)
{
	struct filter filter;

	pin_to_first_cpu();
	sandbox_enter();
	load_rules(&filter, "default drop");
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (size_t i = 0; i < tables[t].count; i++)
			run_case(&filter, tables[t].name, &tables[t].cases[i]);
	}
	filter_close(&filter);
	test_limit();
	test_limit_rate();
	test_limit_per_source();
	test_samples();
	return tap_done();
}
