// SPDX-License-Identifier: GPL-2.0-only
/*
 * Side by side: how many packets a second each candidate drops, when they come in
 * through a veth pair, made and judged on one CPU. Only ratios of one run mean
 * anything: candidates take turns, round by round.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "bench.h"
#include "generator.skel.h"
#include "live.h"
#include "sandbox.h"

#define BATCH 64
#define FIRST_CHUNK (BATCH * 4)
#define TURN_SECONDS 0.15
#define RUNS 1000000

const char *portctl = "build/portctl";

static struct generator_bpf *generator;

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(double *)a, y = *(double *)b;

	return x < y ? -1 : x > y;
}

/* The sum over an IPv4 header, without its checksum and its source. */
static __u32 sum_header(struct iphdr *ip)
{
	struct iphdr copy = *ip;
	const __u16 *words = (const __u16 *)&copy;
	__u32 sum = 0;

	copy.check = 0;
	copy.saddr = 0;
	for (size_t i = 0; i < sizeof(copy) / 2; i++)
		sum += words[i];
	return sum;
}

static void address_ipv4(struct frame *frame)
{
	struct iphdr *ip = (void *)(frame->data + sizeof(struct ether_header));
	__u32 sum;

	ip->ttl = 64;
	ip->saddr = inet_addr("192.0.2.2");
	ip->daddr = inet_addr("192.0.2.1");
	sum = sum_header(ip) + (ip->saddr & 0xffff) + (ip->saddr >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~((sum & 0xffff) + (sum >> 16));
	generator->bss->header_sum = sum_header(ip);
}

static void add_tag(struct frame *frame)
{
	static const __u8 tag[] = { 0x81, 0x00, 0x00, 0x2a };

	memmove(frame->data + 16, frame->data + 12, frame->size - 12);
	memcpy(frame->data + 12, tag, sizeof(tag));
	frame->size += sizeof(tag);
}

static struct frame make_frame(const struct workload *workload)
{
	static const __u8 ends[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	struct frame frame =
		workload->is_signed ? build_bogus() : build(workload->ipv6, IPPROTO_UDP, PORT);

	memcpy(frame.data, ends, sizeof(ends));
	if (workload->ipv6) {
		inet_pton(AF_INET6, "2001:db8::2", frame.data + 22);
		inet_pton(AF_INET6, "2001:db8::1", frame.data + 38);
		frame.data[21] = 64;
	} else {
		address_ipv4(&frame);
	}
	if (workload->vlan)
		add_tag(&frame);
	memcpy(generator->bss->head, frame.data, sizeof(generator->bss->head));
	generator->bss->tagged = workload->vlan;
	generator->data->seed = 2463534242u;
	generator->bss->l4_offset = 14 + (workload->ipv6 ? 40 : 20) + (workload->vlan ? 4 : 0);
	generator->bss->ports = workload->ports;
	generator->bss->sources = workload->sources;
	return frame;
}

/* Sends so many out of the candidate's near end; seconds. */
static double send_frames(const struct candidate *candidate, const struct frame *frame,
			  unsigned int count)
{
	struct xdp_md context = { .data_end = frame->size,
				  .ingress_ifindex = candidate->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data,
		    .data_size_in = frame->size, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = count, .batch_size = BATCH,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	double start = now();

	if (bpf_prog_test_run_opts(bpf_program__fd(generator->progs.generate), &opts)) {
		perror("cannot send live frames");
		exit(1);
	}
	return now() - start;
}

/*
 * A turn: one run, as long as it takes to be a figure, since to begin one takes a while.
 * How long that is is tried out first. Adds what was sent; Mpps.
 */
static double take_turn(const struct candidate *candidate, const struct frame *frame,
			double *sent)
{
	unsigned int count = FIRST_CHUNK;
	double seconds = send_frames(candidate, frame, count);

	*sent += count;
	while (seconds < TURN_SECONDS) {
		double more = seconds > 0.01 ? 1.3 * TURN_SECONDS / seconds : 16;

		count = count * more / BATCH * BATCH;
		seconds = send_frames(candidate, frame, count);
		*sent += count;
	}
	return count / seconds / 1e6;
}

/* What was not judged was not dropped by rule: no figure for that. */
static bool agrees(const struct candidate *candidate, const struct workload *workload,
		   double sent)
{
	double judged;

	enter(candidate);
	judged = candidate->judged();
	enter(NULL);
	if (judged >= 0.99 * sent && judged <= 1.01 * sent)
		return true;
	fprintf(stderr, "%s, %s: %.0f packets sent, %.0f dropped: no figure\n", workload->name,
		candidate->name, sent, judged);
	return false;
}

static bool start(const struct candidate *candidate, const struct workload *workload,
		  struct figures *figures)
{
	double begun = now();
	bool started;

	enter(candidate);
	started = candidate->start(workload);
	figures->start_seconds = now() - begun;
	enter(NULL);
	return started;
}

/* The attached program, a descriptor. */
static int open_program(const struct candidate *candidate)
{
	__u32 id = 0;
	int fd = -1;

	enter(candidate);
	if (!bpf_xdp_query_id(if_nametoindex("eth0"), 0, &id))
		fd = bpf_prog_get_fd_by_id(id);
	enter(NULL);
	if (fd < 0) {
		perror("the attached program");
		exit(1);
	}
	return fd;
}

static double run_alone(int program, const struct frame *frame, __u32 *verdict)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data,
		    .data_size_in = frame->size, .repeat = RUNS);
	double start = now();

	if (bpf_prog_test_run_opts(program, &opts)) {
		perror("bpf_prog_test_run");
		exit(1);
	}
	*verdict = opts.retval;
	return (now() - start) / RUNS * 1e9;
}

/* The programs alone, on one and the same frame again and again. */
static void measure_alone(const struct frame *frame, struct figures *figures)
{
	int programs[MOST_CANDIDATES];
	__u32 verdict;

	for (size_t i = 0; i < candidate_count; i++) {
		figures[i].run = figures[i].measured && candidates[i].program;
		programs[i] = figures[i].run ? open_program(&candidates[i]) : -1;
	}
	for (int round = 0; round < ROUNDS_LIVE; round++) {
		for (size_t i = 0; i < candidate_count; i++) {
			if (!figures[i].run)
				continue;
			figures[i].costs[round] = run_alone(programs[i], frame, &verdict);
			figures[i].run = verdict == XDP_DROP;
		}
	}
	for (size_t i = 0; i < candidate_count; i++) {
		qsort(figures[i].costs, ROUNDS_LIVE, sizeof(double), compare);
		if (programs[i] >= 0)
			close(programs[i]);
	}
}

static void measure(const struct workload *workload, struct figures *figures)
{
	struct frame frame = make_frame(workload);
	double sent[MOST_CANDIDATES];

	for (size_t i = 0; i < candidate_count; i++) {
		figures[i].measured = start(&candidates[i], workload, &figures[i]);
		if (!figures[i].measured)
			continue;
		enter(&candidates[i]);
		sent[i] = candidates[i].judged();
		enter(NULL);
		/* Caches, neighbours, the first of everything. */
		take_turn(&candidates[i], &frame, &sent[i]);
	}
	for (int round = 0; round < ROUNDS_LIVE; round++) {
		for (size_t i = 0; i < candidate_count; i++) {
			if (figures[i].measured)
				figures[i].rates[round] =
					take_turn(&candidates[i], &frame, &sent[i]);
		}
	}
	for (size_t i = 0; i < candidate_count; i++) {
		if (figures[i].measured)
			figures[i].measured = agrees(&candidates[i], workload, sent[i]);
		qsort(figures[i].rates, ROUNDS_LIVE, sizeof(double), compare);
	}
	if (!workload->ports && !workload->sources)
		measure_alone(&frame, figures);
	for (size_t i = 0; i < candidate_count; i++) {
		enter(&candidates[i]);
		candidates[i].stop();
		enter(NULL);
	}
}

static void write_keys(void)
{
	FILE *file;

	umask(077);
	file = fopen("keys", "w");
	if (!file ||
	    fputs("a 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
		  "a0a1a2a3a4a5a6a7\n",
		  file) < 0 ||
	    fclose(file)) {
		perror("keys");
		exit(1);
	}
}

static void prepare(void)
{
	cpu_set_t cpu;

	sandbox_enter();
	if (mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) || chdir(sandbox_path)) {
		perror("cannot mount a BPF file system");
		exit(1);
	}
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	write_keys();
	generator = generator_bpf__open_and_load();
	if (!generator) {
		perror("the generator");
		exit(1);
	}
	candidates_prepare();
}

/* The rows that have bounds; one that falls short may try again. */
static bool check(struct figures (*figures)[MOST_CANDIDATES])
{
	bool good = true;

	for (size_t i = 0; i < workload_count; i++) {
		if (!workloads[i].bounds[0].candidate)
			continue;
		measure(&workloads[i], figures[i]);
		if (report_check(&workloads[i], figures[i]))
			continue;
		puts("once more");
		measure(&workloads[i], figures[i]);
		good &= report_check(&workloads[i], figures[i]);
	}
	return good;
}

/* live PORTCTL --check, or live PORTCTL RESULTS.json [ROW]: only rows that begin so. */
int main(int argc, char **argv)
{
	static struct figures figures[MOST_WORKLOADS][MOST_CANDIDATES];
	FILE *json;

	if (argc < 3)
		return 2;
	portctl = argv[1];
	if (!strcmp(argv[2], "--check")) {
		prepare();
		return !check(figures);
	}
	json = fopen(argv[2], "w");
	if (!json) {
		perror(argv[2]);
		return 1;
	}
	prepare();
	for (size_t i = 0; i < workload_count; i++) {
		if (argc < 4 || !strncmp(workloads[i].name, argv[3], strlen(argv[3])))
			measure(&workloads[i], figures[i]);
	}
	report_text(stdout, figures);
	report_json(json, figures);
	return fclose(json) ? 1 : 0;
}
