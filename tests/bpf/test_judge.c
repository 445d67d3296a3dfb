// SPDX-License-Identifier: GPL-2.0-only
/*
 * What more than the port decides about a packet: its source, the time, limits
 * and the lifelines. Each with the line and the port counter. Replies: test_replies.c.
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
	{ "without ports", cases_portless, ARRAY_SIZE(cases_portless) },
	{ "ends", cases_ends, ARRAY_SIZE(cases_ends) },
	{ "lifelines", cases_lifelines, ARRAY_SIZE(cases_lifelines) },
};

static void run_case(struct filter *filter, const char *table, const struct packet_case *packet)
{
	struct frame frame;

	filter_rules(filter, 0, packet->rules);
	build(&frame, packet->layers);
	expect(filter, &frame, packet->verdict, packet->line, packet->key);
	tap_end("%s: %s", table, packet->name);
	if (frame_type(&frame) != 0x0800 && frame_type(&frame) != 0x86DD)
		return;
	add_tag_to_frame(&frame, 0x8100);
	expect(filter, &frame, packet->verdict, packet->line, packet->key);
	tap_end("%s: %s, tagged", table, packet->name);
	add_tag_to_frame(&frame, 0x88A8);
	expect(filter, &frame, packet->verdict, packet->line, packet->key);
	tap_end("%s: %s, tagged twice", table, packet->name);
}

/* `count` packets pass; the next are over the limit. */
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
	tap_end("limit: a burst of 5 is let in, then nothing");
	BUILD(&frame, IP6(), UDP(54));
	expect(&filter, &frame, VERDICT_DROP, "#1 limited", U(54));
	tap_end("limit: all ports and sources of a rule share it");
	filter_close(&filter);
	load_rules(&filter, "default drop\nallow 53 limit 10/h");
	BUILD(&frame, IP4(), TCP(53));
	expect_burst(&filter, &frame, 1, T(53));
	tap_end("limit: less than one a second has a burst of 1");
	filter_close(&filter);
	load_rules(&filter, "default drop\nallow from 192.0.2.0/24 limit 10/h burst 2");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 2, U(53));
	tap_end("limit: of a rule without ports");
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
	tap_end("limit: 100/s lets in 50 in half a second, besides its burst");
	sleep_ms(300);
	check_burst(&filter, &frame, &slow);
	tap_end("limit: however long nothing comes, the burst is no larger");
	filter_close(&filter);
	load_rules(&filter, "default drop");
	BUILD(&frame, IP4(), ICMP4(8));
	check_burst(&filter, &frame, &echo);
	check_rate(&filter, &frame, &echo);
	filter_changes(&filter, &(struct changes){ 0 });
	while (!filter_run(&filter, &frame, 1, &(__u32){ 0 }) &&
	       !counter_line(&filter.now, LINE_ECHO_LIMITED).packets)
		;
	tap_end("echo: 1000 a second and 1000 at once, the others have their line");
	filter_close(&filter);
}

/* The address of an IPv4 frame's source ends here, of an IPv6 frame's /64 too. */
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
	tap_end("limit per source: each address of IPv4 has its own");
	BUILD(&frame, IP6(), UDP(53));
	expect_burst(&filter, &frame, 3, U(53));
	frame.bytes[SOURCE6_END]++;
	expect(&filter, &frame, VERDICT_DROP, "#1 limited", U(53));
	frame.bytes[SOURCE6_NET_END]++;
	expect_burst(&filter, &frame, 3, U(53));
	tap_end("limit per source: each /64 of IPv6 has its own");
	filter_close(&filter);
	load_rules(&filter, "default drop\nallow 53 limit 10/h burst 3 per source\n"
			    "allow 54 limit 10/h burst 1 per source");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 3, U(53));
	BUILD(&frame, IP4(), UDP(54));
	expect(&filter, &frame, VERDICT_PASS, "#2", U(54));
	tap_end("limit per source: each rule has its own");
	filter_close(&filter);
}

/* How many samples were told of this many drops of the frame. */
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
		tap_wrong("some were told");
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
			tap_wrong("%u were told in all", filter.program->bss->sampling.count);
		tap_end("samples: %u of a port, and of another as many", limit);
	}
	filter.program->bss->sampling.count = EVENT_RATE - 3;
	BUILD(&one, IP4(), UDP(55));
	if (samples_of(&filter, &one, 100) != 3)
		tap_wrong("not 3 were told");
	tap_end("samples: no more than %d of all ports", EVENT_RATE);
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
