// SPDX-License-Identifier: GPL-2.0-only
/* Counters: each CPU counts in its own, and moves full ones to the shared counters. */
#include <pthread.h>
#include <stdatomic.h>

#include "charged.h"
#include "filter.h"
#include "tap.h"

#define RULES "default drop\nallow 22-23/tcp"
#define FULL ((unsigned int)(COUNT_FULL / COUNT_PACKET))
#define FRAME_BYTES 54 /* the length of build_tcp()'s frame */

/* The first `count` CPUs have counters of their own; the others use the shared ones. */
static void test_places(const cpu_set_t *cpus, __u32 count)
{
	unsigned int before = cpu;
	struct filter filter;
	struct frame frame;

	filter_load(&filter, count);
	filter_rules(&filter, 0, RULES);
	build_tcp(&frame, 22);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, cpus) || !pin_to_cpu(cpu))
			continue;
		check_frame(&filter, &frame, VERDICT_PASS, LINE_FIRST_RULE, PORT_KEY_TCP + 22);
		tap_end("of %u CPUs with counters of their own, CPU %u uses %s", count, cpu,
			place_of_cpu(&filter, cpu) == PLACE_SHARED ? "the shared ones"
								   : "its own");
	}
	cpu = before;
	pin_to_cpu(cpu);
	filter_close(&filter);
}

static void check_counter(const char *what, const struct tally *sum, count_t count,
			  __u64 flushed, __u64 packets)
{
	struct tally own = count_tally(count);

	if (own.packets != packets || own.bytes != packets * FRAME_BYTES ||
	    sum->packets != flushed || sum->bytes != flushed * FRAME_BYTES)
		tap_wrong("%s: %llu packets, %llu bytes of its own, %llu and %llu flushed; "
			  "not %llu and %llu packets",
			  what, own.packets, own.bytes, sum->packets, sum->bytes, packets,
			  flushed);
}

/* Checks this CPU's counters and the shared ones, of the first rule's line and of a port. */
static void check_counts(const struct filter *filter, __u32 port, __u64 line_flushed,
			 __u64 line_packets, __u64 port_flushed, __u64 port_packets)
{
	const struct cpu_counters *own = &filter->now.cpu_counters[cpu];
	const struct counters *shared = filter->now.counters;

	check_counter("the line", &shared->line[LINE_FIRST_RULE], own->line[LINE_FIRST_RULE],
		      line_flushed, line_packets);
	check_counter("the port", &shared->pass[PORT_KEY_TCP + port],
		      own->pass[PORT_KEY_TCP + port], port_flushed, port_packets);
}

static void check_drop_flushed(const struct filter *filter)
{
	const struct cpu_counters *own = &filter->now.cpu_counters[cpu];
	const struct counters *shared = filter->now.counters;
	__u32 line = LINE_DEFAULT_DROP, key = PORT_KEY_TCP + 24, verdict;
	struct frame frame;

	build_tcp(&frame, 24);
	filter_run(filter, &frame, FULL, &verdict);
	check_counter("the line", &shared->line[line], own->line[line], FULL, 0);
	check_counter("the port", &shared->drop[key], own->drop[key], FULL, 0);
	if (verdict != VERDICT_DROP)
		tap_wrong("its verdict was %u", verdict);
	tap_end("full counters of dropped packets move to the shared ones as well");
}

/* A full counter moves to the shared one: the line's, the port's, or both. */
static void test_flush(void)
{
	struct frame one, other;
	struct filter filter;
	__u32 verdict;

	filter_load(&filter, cpu + 1);
	filter_rules(&filter, 0, RULES);
	build_tcp(&one, 22);
	build_tcp(&other, 23);
	filter_run(&filter, &one, FULL - 1, &verdict);
	check_counts(&filter, 22, 0, FULL - 1, 0, FULL - 1);
	tap_end("%u packets fit into one counter of a CPU", FULL - 1);
	filter_run(&filter, &other, 1, &verdict);
	check_counts(&filter, 23, FULL, 0, 0, 1);
	if (verdict != VERDICT_PASS)
		tap_wrong("its verdict was %u", verdict);
	tap_end("one packet more moves the line's counter, and no port's");
	filter_run(&filter, &one, 1, &verdict);
	check_counts(&filter, 22, FULL, 1, FULL, 0);
	tap_end("a full port's counter moves, and the line's not");
	filter_zero(&filter);
	filter_run(&filter, &one, 3 * FULL + 5, &verdict);
	check_counts(&filter, 22, 3 * FULL, 5, 3 * FULL, 5);
	tap_end("both counters move each time they are full");
	check_drop_flushed(&filter);
	filter_close(&filter);
}

/* One CPU's packets in test_none_lost(). */
struct burst {
	pthread_t thread;
	const struct filter *filter;
	unsigned int cpu;
	int err;
};

#define BURST 300000

static void *run_burst(void *argument)
{
	struct burst *burst = argument;
	struct frame frame;
	__u32 verdict;

	build_tcp(&frame, 22);
	burst->err = pin_to_cpu(burst->cpu) ? filter_run(burst->filter, &frame, BURST, &verdict)
					    : -EINVAL;
	return NULL;
}

/* One line and one port counter, after bursts on `count` CPUs. */
static void check_sums(const struct filter *filter, unsigned int count)
{
	struct tally line = counter_line(&filter->now, LINE_FIRST_RULE);
	struct tally port = counter_pass(&filter->now, PORT_KEY_TCP + 22);
	__u64 sent = (__u64)count * BURST;

	if (line.packets != sent || port.packets != sent)
		tap_wrong("of %llu packets %llu were charged to the line, %llu to the port",
			  sent, line.packets, port.packets);
	if (line.bytes != sent * FRAME_BYTES || port.bytes != sent * FRAME_BYTES)
		tap_wrong("of %llu bytes %llu were charged to the line, %llu to the port",
			  sent * FRAME_BYTES, line.bytes, port.bytes);
}

/* All CPUs count on the same line and port at once; the first `own` have their own counters. */
static void test_none_lost(const cpu_set_t *cpus, __u32 own)
{
	struct burst bursts[CPU_SETSIZE] = { 0 };
	unsigned int count = 0;
	struct filter filter;

	filter_load(&filter, own);
	filter_rules(&filter, 0, RULES);
	for (unsigned int n = 0; n < CPU_SETSIZE; n++) {
		if (!CPU_ISSET(n, cpus))
			continue;
		bursts[count] = (struct burst){ .filter = &filter, .cpu = n };
		if (pthread_create(&bursts[count].thread, NULL, run_burst, &bursts[count]))
			tap_bail("cannot start a thread");
		count++;
	}
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(bursts[i].thread, NULL);
		if (bursts[i].err)
			tap_wrong("CPU %u: %s", bursts[i].cpu, strerror(-bursts[i].err));
	}
	check_sums(&filter, count);
	tap_end("%u CPUs at once lose no packet, %u of them with their own counters", count,
		own);
	filter_close(&filter);
}

/* A thread that reads the counters while packets are counted. */
struct reader {
	pthread_t thread;
	const struct filter *filter;
	const cpu_set_t *cpus;
	atomic_bool stop;
	unsigned int reads;
	struct tally wrong; /* a value that cannot be right */
	struct tally before; /* the value read before that */
};

static void *read_on(void *argument)
{
	struct reader *reader = argument;

	sched_setaffinity(0, sizeof(*reader->cpus), reader->cpus);
	while (!reader->stop && !reader->wrong.packets) {
		struct tally now = counter_line(&reader->filter->now, LINE_FIRST_RULE);

		if (now.packets < reader->before.packets ||
		    now.bytes != now.packets * FRAME_BYTES)
			reader->wrong = now;
		else
			reader->before = now;
		reader->reads++;
	}
	return NULL;
}

/* A counter moves every few milliseconds. A reader must never see it half moved. */
static void test_reader(const cpu_set_t *cpus)
{
	unsigned int packets = repeats(30000000);
	struct filter filter;
	struct reader reader = { .filter = &filter, .cpus = cpus };
	struct frame frame;
	__u32 verdict;

	filter_load(&filter, cpu + 1);
	filter_rules(&filter, 0, RULES);
	build_tcp(&frame, 22);
	if (pthread_create(&reader.thread, NULL, read_on, &reader))
		tap_bail("cannot start a thread");
	filter_run(&filter, &frame, packets, &verdict);
	reader.stop = true;
	pthread_join(reader.thread, NULL);
	if (reader.wrong.packets)
		tap_wrong("read %u: %llu packets, %llu bytes after %llu, %llu", reader.reads,
			  reader.wrong.packets, reader.wrong.bytes, reader.before.packets,
			  reader.before.bytes);
	if (reader.reads < 100)
		tap_wrong("the counters were read only %u times", reader.reads);
	if (counter_line(&filter.now, LINE_FIRST_RULE).packets != packets)
		tap_wrong("some packets are not counted");
	tap_end("%u packets, counters read meanwhile: packets and bytes agree, and only grow",
		packets);
	filter_close(&filter);
}

int main(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		tap_bail("cannot read the CPU affinity: %s", strerror(errno));
	pin_to_first_cpu();
	for (__u32 count = 1; count <= 3; count++)
		test_places(&cpus, count);
	test_flush();
	test_none_lost(&cpus, 1);
	test_none_lost(&cpus, sysconf(_SC_NPROCESSORS_ONLN));
	test_reader(&cpus);
	return tap_done();
}
