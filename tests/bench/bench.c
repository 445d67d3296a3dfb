// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet costs beside an empty program, by test run, and what the commands cost. Only
 * differences and ratios within one run mean anything, so the candidates take turns.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench.h"
#include "kernel/counters.h"
#include "kernel/datapath.h"
#include "empty.skel.h"
#include "record.h"
#include "sandbox.h"
#include "rules/signing.h"

#define REPEAT 10000000
#define CHUNK 1000000

const char *portctl = "build/portctl";

double command(const char *arguments)
{
	char line[512];
	double start;

	snprintf(line, sizeof(line), "%s %s >/dev/null", portctl, arguments);
	start = now();
	if (system(line)) {
		fprintf(stderr, "failed: %s\n", line);
		exit(1);
	}
	return now() - start;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	if (!file || fputs(text, file) < 0 || fclose(file)) {
		perror(name);
		exit(1);
	}
}

/* Writes a rule for each TCP port, allow and drop in turn; `odd` swaps the two. */
static void write_rules(const char *name, int odd)
{
	FILE *file = fopen(name, "w");

	for (int port = 0; port < 65536; port++)
		fprintf(file, "%s %d/tcp\n", port % 2 == odd ? "allow" : "drop", port);
	if (fclose(file)) {
		perror(name);
		exit(1);
	}
}

/* Writes rules with a signed knock, and its key. */
static void write_signed(void)
{
	char rule[PATH_MAX + 128];

	umask(077);
	write_file("keys", "a 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
			   "a0a1a2a3a4a5a6a7\n");
	snprintf(rule, sizeof(rule),
		 "default drop\nknock b spa 62201/udp keys %s/keys opens 80/tcp for 30s\n",
		 sandbox_path);
	write_file("signed.rules", rule);
}

/* Writes MAX_DOORS - 1 knocks with sequences, because the rules applied before have one. */
static void write_doors(const char *name)
{
	FILE *file = fopen(name, "w");

	if (!file) {
		perror(name);
		exit(1);
	}
	fputs("default drop\n", file);
	for (int n = 0; n < MAX_DOORS - 1; n++)
		fprintf(file,
			"knock d%d opens %d/tcp for 30s after %d/tcp %d/udp %d/tcp within 10s\n",
			n, 20000 + n, 7000 + n, 9000 + n, 8000 + n);
	if (fclose(file)) {
		perror(name);
		exit(1);
	}
}

/* The n-th source of the large rulesets; they spread over 10.0.0.0/8. */
static __u32 source_address(unsigned int n)
{
	return 10u << 24 | (n * 2654435761u >> 8);
}

static void write_sources(const char *name, int count)
{
	FILE *file = fopen(name, "w");

	fputs("default drop\nallow 22/tcp from ", file);
	for (int n = 0; n < count; n++) {
		struct in_addr address = { htonl(source_address(n)) };

		fprintf(file, "%s%s", n ? ", " : "", inet_ntoa(address));
	}
	fputc('\n', file);
	if (fclose(file)) {
		perror(name);
		exit(1);
	}
}

/* Returns a descriptor of the egress program of pc0. */
static int egress_program(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex("pc0"),
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 0x706F, .priority = 1);

	if (bpf_tc_query(&hook, &opts)) {
		perror("the egress program");
		exit(1);
	}
	return bpf_prog_get_fd_by_id(opts.prog_id);
}

int attached_program(void)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);
	struct datapath dp;
	char path[PATH_MAX];
	int link;

	if (datapath_open(&dp, DATAPATH_READ))
		exit(1);
	snprintf(path, sizeof(path), "%s/pc0/link", dp.path);
	datapath_close(&dp);
	link = bpf_obj_get(path);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size)) {
		perror(path);
		exit(1);
	}
	close(link);
	return bpf_prog_get_fd_by_id(info.prog_id);
}

struct row {
	const char *name;
	const char *rules; /* a file */
	int target; /* bound in ns above the empty program */
	__u32 verdict;
	bool ipv6;
	int protocol;
	__u16 port;
	struct frame (*make)(void); /* makes the frame; NULL: build() does, with these values */
};

static struct frame with_tcp_flags(struct frame frame, __be32 address, __u16 source, __u16 dest)
{
	struct iphdr *ip = (void *)(frame.data + sizeof(struct ether_header));
	struct tcphdr *tcp = (void *)(ip + 1);

	ip->saddr = ip->daddr = address;
	tcp->source = source;
	tcp->dest = dest;
	tcp->syn = 0;
	tcp->ack = 1;
	return frame;
}

/* A segment of an open connection, which the sandbox makes over loopback. */
static struct frame make_established(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	static int listener, client;
	struct sockaddr_in local;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &size) ||
	    connect(client, (void *)&address, size) ||
	    getsockname(client, (void *)&local, &size)) {
		perror("cannot connect over loopback");
		exit(1);
	}
	return with_tcp_flags(build(false, IPPROTO_TCP, 0), address.sin_addr.s_addr,
			      address.sin_port, local.sin_port);
}

/* A reply to a datagram that went out, so that its flow is in the table. */
static struct frame make_udp_reply(void)
{
	struct frame frame = build(false, IPPROTO_UDP, 40000),
		     request = build(false, IPPROTO_UDP, 0);
	struct udphdr *udp =
		(void *)(request.data + sizeof(struct ether_header) + sizeof(struct iphdr));
	int program = egress_program();

	udp->source = htons(40000);
	run_program(program, &request, 1, NULL);
	close(program);
	return frame;
}

static struct frame make_from_source(void)
{
	struct frame frame = build(false, IPPROTO_TCP, 22);
	struct iphdr *ip = (void *)(frame.data + sizeof(struct ether_header));

	ip->saddr = htonl(source_address(4711));
	return frame;
}

/* A SYN to a shut port, after 10,000 sources have begun attempts. */
static struct frame make_among_attempts(void)
{
	struct frame first = build(false, IPPROTO_TCP, 7000);
	struct iphdr *ip = (void *)(first.data + sizeof(struct ether_header));
	int program = attached_program();

	for (int n = 0; n < 10000; n++) {
		ip->saddr = htonl(source_address(n));
		run_program(program, &first, 1, NULL);
	}
	close(program);
	return build(false, IPPROTO_TCP, 23);
}

static const struct row rows[] = {
	{ "IPv4 TCP allowed, 1 rule", "one.rules", 5, XDP_PASS, false, IPPROTO_TCP, 22, NULL },
	{ "IPv4 TCP dropped, 1 rule", "drop.rules", 5, XDP_DROP, false, IPPROTO_TCP, 22, NULL },
	{ "IPv4 UDP default, 1 rule", "one.rules", 5, XDP_PASS, false, IPPROTO_UDP, 53, NULL },
	{ "IPv6 TCP allowed, 1 rule", "one.rules", 5, XDP_PASS, true, IPPROTO_TCP, 22, NULL },
	{ "IPv6 TCP dropped, 1 rule", "drop.rules", 5, XDP_DROP, true, IPPROTO_TCP, 22, NULL },
	{ "IPv6 UDP default, 1 rule", "one.rules", 5, XDP_PASS, true, IPPROTO_UDP, 53, NULL },
	{ "IPv4 TCP allowed, 65,536 rules", "all.rules", 5, XDP_PASS, false, IPPROTO_TCP, 22,
	  NULL },
	{ "IPv4 TCP dropped, 65,536 rules", "all.rules", 5, XDP_DROP, false, IPPROTO_TCP, 23,
	  NULL },
	{ "IPv4 UDP default, 65,536 rules", "all.rules", 5, XDP_PASS, false, IPPROTO_UDP, 53,
	  NULL },
	{ "IPv6 TCP allowed, 65,536 rules", "all.rules", 5, XDP_PASS, true, IPPROTO_TCP, 22,
	  NULL },
	{ "IPv6 TCP dropped, 65,536 rules", "all.rules", 5, XDP_DROP, true, IPPROTO_TCP, 23,
	  NULL },
	{ "IPv6 UDP default, 65,536 rules", "all.rules", 5, XDP_PASS, true, IPPROTO_UDP, 53,
	  NULL },
	{ "default drop, TCP SYN", "closed.rules", 5, XDP_DROP, false, IPPROTO_TCP, 23, NULL },
	{ "default drop, established TCP", "closed.rules", 60, XDP_PASS, false, 0, 0,
	  make_established },
	{ "default drop, UDP reply", "closed.rules", 50, XDP_PASS, false, 0, 0,
	  make_udp_reply },
	{ "knocks, TCP allowed", "knock.rules", 7, XDP_PASS, false, IPPROTO_TCP, 22, NULL },
	{ "knocks, SYN among 10,000 attempts", "knock.rules", 15, XDP_DROP, false, 0, 0,
	  make_among_attempts },
	{ "63 knocks, UDP to a shut port", "doors.rules", 50, XDP_DROP, false, IPPROTO_UDP, 23,
	  NULL },
	{ "63 knocks, first step repeated", "doors.rules", 1000, XDP_DROP, false, IPPROTO_TCP,
	  7000, NULL },
	{ "10,000 sources, one matches", "few.rules", 150, XDP_PASS, false, 0, 0,
	  make_from_source },
	{ "10,000 sources, none matches", "few.rules", 150, XDP_DROP, false, IPPROTO_TCP, 22,
	  NULL },
	{ "100,000 sources, one matches", "many.rules", 250, XDP_PASS, false, 0, 0,
	  make_from_source },
};

/*
 * Replaces the attached program and finds it with `find`. Each round does so, because the place
 * of its code in memory makes a program faster or slower by up to a nanosecond a packet.
 */
static int load_anew(int (*find)(void))
{
	command("attach pc0");
	return find();
}

/* Checks the program's verdict on the frame, and warms the program up with `count` packets. */
static void expect_verdict(const struct row *row, int program, struct frame *frame,
			   unsigned int count)
{
	__u32 verdict;

	run_program(program, frame, count, &verdict);
	if (verdict != row->verdict) {
		fprintf(stderr, "%s: verdict %d, not %d\n", row->name, (int)verdict,
			(int)row->verdict);
		exit(1);
	}
}

/*
 * Measures one row. The two candidates take turns many times within a round, so that a machine
 * whose speed drifts slows both: `chunk` packets each. If chunks are small, `before` packets of
 * the empty program precede them, because what comes after a pause is slow.
 */
static void measure_row(const struct row *row, int empty, int (*find)(void), unsigned int chunk,
			unsigned int before)
{
	struct frame frame;
	struct samples empties = { 0 }, all = { 0 }, above = { 0 };
	char apply[256];

	snprintf(apply, sizeof(apply), "apply %s/%s", sandbox_path, row->rules);
	command(apply);
	frame = row->make ? row->make() : build(row->ipv6, row->protocol, row->port);
	for (int round = 0; round < ROUNDS; round++) {
		double nothing = 0, ours = 0;
		int program = load_anew(find);

		expect_verdict(row, program, &frame, chunk);
		for (int turn = 0; turn < REPEAT / CHUNK; turn++) {
			if (before)
				run_program(empty, &frame, before, NULL);
			nothing += run_program(empty, &frame, chunk, NULL);
			ours += run_program(program, &frame, chunk, NULL);
		}
		add_sample(&empties, nothing / (REPEAT / CHUNK));
		add_sample(&all, ours / (REPEAT / CHUNK));
		add_sample(&above, (ours - nothing) / (REPEAT / CHUNK));
		close(program);
	}
	record_packet(row->name, row->target, &empties, &all, &above);
}

static void measure_packets(int empty)
{
	record_heading();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		measure_row(&rows[i], empty, attached_program, CHUNK, 0);
}

/* Fails if a frame of this benchmark was malformed: its figure would be worthless. */
static void check_malformed(void)
{
	struct datapath dp;
	__u64 packets;

	if (datapath_open(&dp, DATAPATH_READ) || datapath_map_counters(&dp, ALL_COUNTERS))
		exit(1);
	packets = counter_line(&dp.interfaces[0], LINE_MALFORMED).packets;
	datapath_close(&dp);
	if (packets) {
		fprintf(stderr, "%llu frames of this benchmark were malformed\n",
			(unsigned long long)packets);
		exit(1);
	}
}

/* Signed knocks with a wrong tag, so few at a time that the limit lets all be verified. */
static void measure_signed(int empty)
{
	const struct row row = {
		.name = "signed knock with a wrong tag",
		.rules = "signed.rules",
		.target = 400,
		.verdict = XDP_DROP,
		.make = build_bogus,
	};

	measure_row(&row, empty, attached_program, SIGNED_BURST * 9 / 10, 4 * CHUNK);
}

/* The egress program, on a datagram of a flow that is in the table. */
static void measure_egress(int empty)
{
	const struct row row = {
		.name = "egress, UDP of a known flow",
		.rules = "closed.rules",
		.target = 60,
		.verdict = (__u32)-1, /* TC_ACT_UNSPEC */
		.protocol = IPPROTO_UDP,
		.port = 53,
	};

	measure_row(&row, empty, egress_program, CHUNK, 0);
}

/* Returns the control map's memory, in which the data path sees whether there is a monitor. */
static struct control *open_control(void)
{
	struct datapath dp;
	struct control *control;

	if (datapath_open(&dp, DATAPATH_READ))
		exit(1);
	control = dp.control;
	dp.control = NULL; /* stays mapped */
	datapath_close(&dp);
	return control;
}

/* Drops with a monitor that reads, and without one, in turns as in measure_row(). */
static void measure_monitored(void)
{
	struct frame frame = build(false, IPPROTO_TCP, 23);
	struct samples ratio = { 0 };
	struct control *control = open_control();
	char apply[256];
	pid_t monitor;

	fflush(stdout); /* or the child would print it again */
	monitor = fork();

	if (!monitor) {
		if (freopen("/dev/null", "w", stdout))
			execl(portctl, portctl, "monitor", "-j", NULL);
		_exit(1);
	}
	snprintf(apply, sizeof(apply), "apply %s/closed.rules", sandbox_path);
	command(apply);
	while (!*(volatile __u32 *)&control->watchers)
		usleep(1000);
	for (int round = 0; round < ROUNDS; round++) {
		double without = 0, with = 0;
		int program = load_anew(attached_program);

		for (int turn = 0; turn < REPEAT / CHUNK; turn++) {
			control->watchers = 0;
			without += run_program(program, &frame, CHUNK, NULL);
			control->watchers = 1;
			with += run_program(program, &frame, CHUNK, NULL);
		}
		add_sample(&ratio, with / without);
		close(program);
	}
	record_figure("drop with a monitor, ratio to one without", &ratio, "times",
		      "at most 1.03");
	kill(monitor, SIGTERM);
	waitpid(monitor, NULL, 0);
}

/*
 * What a call and its return take in the kernel: up to ten times as long if returns are guarded
 * (see the first lines of results.txt). The kernel's own handling of a packet, which is mostly
 * calls, is then as much slower.
 */
static void measure_calls(const struct empty_bpf *empty)
{
	struct frame frame = build(false, IPPROTO_UDP, 53);
	struct samples each = { 0 };

	for (int round = 0; round < ROUNDS; round++) {
		double without = run_program(bpf_program__fd(empty->progs.no_calls), &frame,
					     CHUNK, NULL),
		       with = run_program(bpf_program__fd(empty->progs.calls), &frame, CHUNK,
					  NULL);

		add_sample(&each, (with - without) / empty->rodata->call_count);
	}
	record_figure("call and return in the kernel", &each, "ns", "no bound");
}

static void print_memory(void)
{
	printf("\ncounters: %.1f MiB for each of %ld CPUs, and %.1f; table: %.1f MiB\n",
	       sizeof(struct cpu_counters) / 1048576.0, sysconf(_SC_NPROCESSORS_ONLN),
	       sizeof(struct counters) / 1048576.0, 2 * sizeof(struct generation) / 1048576.0);
}

/* bench [PORTCTL [RESULTS.json]] */
int main(int argc, char **argv)
{
	struct empty_bpf *empty;
	FILE *results = NULL;
	cpu_set_t cpu;

	if (argc > 1)
		portctl = argv[1];
	/* Before entering the sandbox, which changes the folder. */
	if (argc > 2 && !(results = fopen(argv[2], "w"))) {
		perror(argv[2]);
		return 1;
	}
	sandbox_enter();
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	empty = empty_bpf__open_and_load();
	if (!empty) {
		perror("empty program");
		return 1;
	}
	if (chdir(sandbox_path) == 0) {
		write_file("one.rules", "allow 22/tcp\n");
		write_file("drop.rules", "drop 22/tcp\n");
		write_rules("all.rules", 0);
		write_rules("other.rules", 1);
		write_file("closed.rules", "default drop\nallow 22/tcp\n");
		write_file("knock.rules",
			   "default drop\nallow 22/tcp\nknock a opens 80/tcp for 30s after "
			   "7000/tcp 9000/udp 8000/tcp within 1h\n");
		write_doors("doors.rules");
		write_signed();
		write_sources("few.rules", 10000);
		write_sources("many.rules", 100000);
	}
	/* Both programs are attached, since the kernel calls attached programs differently. */
	if (bpf_link_create(bpf_program__fd(empty->progs.empty), if_nametoindex("pc1"), BPF_XDP,
			    NULL) < 0) {
		perror("attach the empty program");
		return 1;
	}
	command("attach pc0");
	measure_packets(bpf_program__fd(empty->progs.empty));
	measure_signed(bpf_program__fd(empty->progs.empty));
	measure_egress(bpf_program__fd(empty->progs.empty_tc));
	measure_monitored();
	measure_calls(empty);
	check_malformed();
	measure_commands();
	measure_replay();
	print_memory();
	return results && record_write(results) ? 1 : 0;
}
