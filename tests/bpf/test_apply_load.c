// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing the rules under load: 1,000 applies of alternating rulesets while every CPU runs
 * packets through the attached program. No packet may be judged by a mixture of two rulesets
 * or go uncounted, and no reader may see a counter decrease.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "kernel/counters.h"
#include "kernel/datapath.h"
#include "packet_builder.h"
#include "../sandbox.h"
#include "state/stats.h"
#include "tap.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "rules/ruleset_parse.h"

#define APPLIES 1000
#define BATCH 64 /* packets run by one system call; more would delay the applies */
#define FLOODERS_MAX 8
#define DEVICE "swap0"

/*
 * The first and the second ruleset have opposite verdicts about all ports but one. Both have a
 * rule for each port of the flood, so a packet charged to a built-in line was misjudged. The
 * third is the first in another order: its rules get each other's old lines, and must not
 * inherit their counts.
 */
#define COMMON "allow 7777/tcp\n"
static const char *const rulesets[] = {
	"default allow\n" COMMON "allow 1000-1999\ndrop 53/udp\ndrop 8080/tcp\n",
	"default drop\ndrop 1000-1999\nallow 53/udp\nallow 8080\n" COMMON,
	"default allow\ndrop 53/udp\ndrop 8080/tcp\nallow 1000-1999\n" COMMON,
	"default drop\ndrop 1000-1999\nallow 53/udp\nallow 8080\n" COMMON,
};

static const struct target {
	struct layer layers[LAYERS_MAX];
	__u32 key;
} targets[] = {
	{ { IP4(), TCP(1000) }, PORT_KEY_TCP + 1000 },
	{ { IP6(), UDP(1500), DATA(100) }, PORT_KEY_UDP + 1500 },
	{ { VLAN, IP4(), TCP(1999) }, PORT_KEY_TCP + 1999 },
	{ { IP4(), UDP(53), DATA(40) }, PORT_KEY_UDP + 53 },
	{ { IP6(), TCP(8080) }, PORT_KEY_TCP + 8080 },
	{ { IP4(), TCP(7777) }, PORT_KEY_TCP + 7777 },
};
#define TARGETS ARRAY_SIZE(targets)
#define TARGET_COMMON (TARGETS - 1)

static struct frame frames[TARGETS];
static atomic_bool stop;
static unsigned int applies;

struct flooder {
	pthread_t thread;
	int program;
	unsigned int cpu;
	int err;
	__u64 sent[TARGETS];
};

/* Sums that must never decrease from one read to the next. */
struct totals {
	struct tally lines;
	struct tally ports;
	struct port_counter by_line; /* passed and dropped, by the lines */
	struct port_counter by_port; /* passed and dropped, by the ports */
	struct tally common; /* the rule that all rulesets have */
};

struct reader {
	pthread_t thread;
	unsigned int reads;
	int err;
	char wrong[256];
};

static void add(struct tally *sum, const struct tally *part)
{
	sum->packets += part->packets;
	sum->bytes += part->bytes;
}

/* The device stays down, so that only the flood's packets arrive. */
static void make_device(void)
{
	if (system("ip link add " DEVICE " type veth peer name swap1"))
		tap_bail("cannot make " DEVICE);
}

static int apply(const char *rules)
{
	struct report report = { .out = stdout, .file = "# rules" };
	struct datapath dp;
	struct ruleset next;
	int err;

	ruleset_init(&next);
	err = datapath_open(&dp, DATAPATH_WRITE);
	if (!err)
		err = ruleset_parse(&next, rules, &report);
	if (!err)
		err = datapath_commit(&dp, &next, 0);
	datapath_close(&dp);
	ruleset_clear(&next);
	return err;
}

static int attach(void)
{
	struct datapath dp;
	int err = datapath_open(&dp, DATAPATH_WRITE);

	if (!err)
		err = datapath_attach(&dp, DEVICE, ATTACH_AUTO, false);
	datapath_close(&dp);
	return err;
}

/* Returns a descriptor of the program attached to the device, found by its link. */
static int attached_program(void)
{
	struct bpf_link_info info = { 0 };
	__u32 length = sizeof(info);
	char path[PATH_MAX];
	struct datapath dp;
	cleanup_close int link = -1;

	if (datapath_open(&dp, DATAPATH_READ))
		tap_bail("cannot open the attached program's state");
	snprintf(path, sizeof(path), "%s/" DEVICE "/link", dp.path);
	datapath_close(&dp);
	link = bpf_obj_get(path);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &length))
		tap_bail("%s: %s", path, strerror(errno));
	return bpf_prog_get_fd_by_id(info.prog_id);
}

static void *flood(void *argument)
{
	struct flooder *flooder = argument;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(flooder->cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		flooder->err = -EINVAL;
	/* The lowest priority, or the 1,000 applies would have to wait for a CPU. */
	if (setpriority(PRIO_PROCESS, 0, 19))
		flooder->err = -errno;
	for (size_t i = flooder->cpu; !stop && !flooder->err; i++) {
		const struct frame *frame = &frames[i % TARGETS];
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes,
			    .data_size_in = frame->length, .repeat = BATCH);

		flooder->err = bpf_prog_test_run_opts(flooder->program, &opts);
		if (!flooder->err)
			flooder->sent[i % TARGETS] += BATCH;
	}
	return NULL;
}

/* Collects the counters as "portctl stats" does, those of removed rules included. */
static int collect(struct datapath *dp, struct ruleset *ruleset, struct stats *stats)
{
	struct interface *iface = datapath_interface(dp, DEVICE);
	cleanup_free struct stored_rule *gone = NULL;
	size_t gone_count;
	int err;

	if (!iface)
		return -ENOENT;
	err = datapath_ruleset(dp, ruleset);
	if (!err)
		err = datapath_previous(dp, &gone, &gone_count);
	if (!err)
		err = datapath_map_counters(dp, ALL_COUNTERS);
	if (!err)
		err = stats_collect(iface, ruleset, gone, gone_count, stats);
	return err;
}

static void sum_up(const struct ruleset *ruleset, const struct stats *stats,
		   struct totals *totals)
{
	*totals = (struct totals){ .by_line = stats->total };
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		add(&totals->by_port.pass, &stats->ports[key].pass);
		add(&totals->by_port.drop, &stats->ports[key].drop);
	}
	add(&totals->lines, &totals->by_line.pass);
	add(&totals->lines, &totals->by_line.drop);
	add(&totals->ports, &totals->by_port.pass);
	add(&totals->ports, &totals->by_port.drop);
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].terms[0].first == 7777)
			totals->common = stats->rules[i];
	}
}

static int read_totals(struct totals *totals, struct tally builtin[LINES_BUILTIN])
{
	struct stats stats = { 0 };
	struct ruleset ruleset;
	struct datapath dp;
	int err;

	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_READ);
	if (!err)
		err = collect(&dp, &ruleset, &stats);
	if (!err)
		sum_up(&ruleset, &stats, totals);
	if (!err && builtin)
		memcpy(builtin, stats.builtin, sizeof(stats.builtin));
	stats_clear(&stats);
	ruleset_clear(&ruleset);
	datapath_close(&dp);
	return err;
}

/* struct totals consists of tallies, each of which may only grow. */
static void check_growth(struct reader *reader, const struct totals *before,
			 const struct totals *now)
{
	const struct tally *old = (const void *)before, *new = (const void *)now;

	for (size_t i = 0; i < sizeof(*now) / sizeof(*new); i++) {
		if (new[i].packets >= old[i].packets &&new[i].bytes >= old[i].bytes)
			continue;
		snprintf(reader->wrong, sizeof(reader->wrong),
			 "read %u, total %zu: %llu packets, %llu bytes after %llu, %llu",
			 reader->reads, i, new[i].packets, new[i].bytes, old[i].packets,
			 old[i].bytes);
	}
}

static void *read_on(void *argument)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct reader *reader = argument;
	struct totals before = { 0 }, now;

	while (!stop && !reader->err && !*reader->wrong) {
		reader->err = read_totals(&now, NULL);
		if (!reader->err)
			check_growth(reader, &before, &now);
		before = now;
		reader->reads++;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static unsigned int start_flood(struct flooder *flooders)
{
	unsigned int count = 0;
	cpu_set_t cpus;
	int program = attached_program();

	if (program < 0 || sched_getaffinity(0, sizeof(cpus), &cpus))
		tap_bail("cannot find the attached program: %s", strerror(errno));
	for (size_t i = 0; i < TARGETS; i++)
		build(&frames[i], targets[i].layers);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && count < FLOODERS_MAX; cpu++) {
		if (!CPU_ISSET(cpu, &cpus))
			continue;
		flooders[count] = (struct flooder){ .program = program, .cpu = cpu };
		if (pthread_create(&flooders[count].thread, NULL, flood, &flooders[count]))
			tap_bail("cannot start a thread");
		count++;
	}
	return count;
}

static void test_applies(void)
{
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned int i = 1; i <= applies; i++) {
		int err = apply(rulesets[i % ARRAY_SIZE(rulesets)]);

		if (err) {
			tap_wrong("apply %u: %s", i, strerror(-err));
			break;
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	tap_end("%u applies succeed, in %ld s", applies, (long)(end.tv_sec - start.tv_sec));
}

/* Waits for the flooders. Adds up the packets sent: of each frame in `sent`, and in all. */
static struct tally stop_flood(struct flooder *flooders, unsigned int count,
			       __u64 sent[TARGETS])
{
	struct tally all = { 0 };

	for (unsigned int n = 0; n < count; n++) {
		pthread_join(flooders[n].thread, NULL);
		if (flooders[n].err)
			tap_wrong("flooder %u: %s", n, strerror(-flooders[n].err));
		for (size_t i = 0; i < TARGETS; i++)
			sent[i] += flooders[n].sent[i];
	}
	for (size_t i = 0; i < TARGETS; i++) {
		all.packets += sent[i];
		all.bytes += sent[i] * frames[i].length;
	}
	/* With fewer packets, most applies would have happened without load. */
	if (all.packets < applies * 100)
		tap_wrong("only %llu packets were sent", all.packets);
	tap_end("%llu packets were run meanwhile", all.packets);
	return all;
}

static void check_equal(const char *what, const struct tally *got, const struct tally *wanted)
{
	if (got->packets != wanted->packets || got->bytes != wanted->bytes)
		tap_wrong("%s: %llu packets, %llu bytes; not %llu, %llu", what, got->packets,
			  got->bytes, wanted->packets, wanted->bytes);
}

static void test_sums(const struct totals *totals, const struct tally *sent)
{
	check_equal("lines", &totals->lines, sent);
	tap_end("the lines add up to the packets run");
	check_equal("ports", &totals->ports, sent);
	tap_end("the port counters add up to the packets run");
	check_equal("passed, by line", &totals->by_line.pass, &totals->by_port.pass);
	check_equal("dropped, by line", &totals->by_line.drop, &totals->by_port.drop);
	tap_end("lines and ports agree on how many passed and how many dropped");
}

/* A packet that met a half-filled slot would be charged to a built-in line. */
static void test_builtin(const struct tally *builtin)
{
	for (enum line line = 0; line < LINES_BUILTIN; line++) {
		bool removed = line == LINE_REMOVED_PASS || line == LINE_REMOVED_DROP;

		if (builtin[line].packets && !removed)
			tap_wrong("%llu packets on the line \"%s\"", builtin[line].packets,
				  line_name(line));
	}
	tap_end("every packet was judged by a rule");
}

/* Each port counter has exactly the packets sent to the port, under both rulesets. */
static void test_ports(const struct interface *iface, const __u64 sent[TARGETS])
{
	for (size_t i = 0; i < TARGETS; i++) {
		struct tally wanted = { sent[i], sent[i] * frames[i].length };
		struct port_counter sum = { 0 };
		struct tally both = { 0 };

		sum.pass = counter_pass(iface, targets[i].key);
		sum.drop = counter_drop(iface, targets[i].key);
		add(&both, &sum.pass);
		add(&both, &sum.drop);
		check_equal("a port", &both, &wanted);
		if (!sum.pass.packets || !sum.drop.packets != (i == TARGET_COMMON))
			tap_wrong("port %u: %llu packets passed, %llu dropped",
				  key_port(targets[i].key), sum.pass.packets, sum.drop.packets);
	}
	tap_end("every port counter has its packets, judged by both rulesets in turn");
}

/* The sum over all lines of the map, also those that no rule has. */
static void test_map(const struct interface *iface, const struct tally *sent)
{
	struct tally sum = { 0 };

	for (__u32 line = 0; line < MAX_LINES; line++) {
		struct tally one = counter_line(iface, line);

		add(&sum, &one);
	}
	check_equal("all lines", &sum, sent);
	tap_end("no line has packets that the statistics do not show");
}

static void test_counters(const struct tally *sent, const __u64 sent_each[TARGETS])
{
	struct tally common = { sent_each[TARGET_COMMON],
				sent_each[TARGET_COMMON] * frames[TARGET_COMMON].length };
	struct tally builtin[LINES_BUILTIN];
	struct totals totals;
	struct datapath dp;

	if (read_totals(&totals, builtin) || datapath_open(&dp, DATAPATH_READ) ||
	    datapath_map_counters(&dp, ALL_COUNTERS))
		tap_bail("cannot read the counters");
	test_sums(&totals, sent);
	test_builtin(builtin);
	check_equal("the common rule", &totals.common, &common);
	tap_end("the rule that all rulesets have keeps its counter through every apply");
	test_ports(&dp.interfaces[0], sent_each);
	test_map(&dp.interfaces[0], sent);
	datapath_close(&dp);
}

static struct control *open_control(void)
{
	struct control *control;
	struct datapath dp;

	if (datapath_open(&dp, DATAPATH_READ))
		tap_bail("cannot open the attached program's state");
	control = dp.control;
	dp.control = NULL; /* stays mapped */
	datapath_close(&dp);
	return control;
}

/*
 * control->settled is the last generation after whose change no packet uses the other slot. If
 * it is not the active one (the waiting child was killed, or a rollback), an apply must wait.
 */
static void test_settled(void)
{
	volatile struct control *control = open_control();
	__u32 before = control->generation;

	for (int i = 0; i < 500 && control->settled != before; i++)
		usleep(10000);
	if (control->settled != before)
		tap_wrong("no child waited after the last apply: settled %u, generation %u",
			  control->settled, before);
	control->settled = before - 1;
	if (apply(rulesets[0]))
		tap_wrong("apply failed");
	if (control->settled < before)
		tap_wrong("an apply did not wait for packets that may use its slot");
	tap_end("an apply waits until no packet uses the slot to be filled");
	munmap((void *)control, sizeof(*control));
}

static void test_reader(struct reader *reader)
{
	pthread_join(reader->thread, NULL);
	if (reader->err)
		tap_wrong("read %u: %s", reader->reads, strerror(-reader->err));
	if (*reader->wrong)
		tap_wrong("%s", reader->wrong);
	if (reader->reads < applies / 20)
		tap_wrong("it read only %u times", reader->reads);
	tap_end("a reader never saw a counter decrease");
}

int main(void)
{
	struct flooder flooders[FLOODERS_MAX];
	struct reader reader = { 0 };
	__u64 sent_each[TARGETS] = { 0 };
	unsigned int count;
	struct tally sent;

	applies = repeats(APPLIES);
	sandbox_enter();
	make_device();
	signal(SIGCHLD, SIG_IGN); /* each apply leaves a child, which waits for the packets */
	if (attach() || apply(rulesets[0]))
		tap_bail("cannot attach");
	count = start_flood(flooders);
	if (pthread_create(&reader.thread, NULL, read_on, &reader))
		tap_bail("cannot start a thread");
	test_applies();
	stop = true;
	sent = stop_flood(flooders, count, sent_each);
	test_reader(&reader);
	test_counters(&sent, sent_each);
	test_settled();
	return tap_done();
}
