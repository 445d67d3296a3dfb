// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signed knocks that are verified, by test run. They have no live rate: portctl verifies at
 * most 10,000 a second for a door, and accepts each only once. So each frame is made in
 * advance and run once, in turns with the empty program, and the kernel measures that one run.
 * Reading the clock is included in both figures, and caches are colder than in a loop.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "kernel/datapath.h"
#include "live.h"

#define KNOCKS 150 /* in a round, so that all rounds stay below the limit of 1,000 at once */

static double run_once(int program, const struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data,
		    .data_size_in = frame->size, .repeat = 1);

	if (bpf_prog_test_run_opts(program, &opts) || opts.retval != XDP_DROP) {
		perror("cannot run a signed knock");
		exit(1);
	}
	return opts.duration;
}

static int compare(const void *a, const void *b)
{
	double x = *(double *)a, y = *(double *)b;

	return x < y ? -1 : x > y;
}

/* Adds the median, which an interrupt during some runs does not change. */
static void add_median(struct cell *cell, double *values)
{
	qsort(values, KNOCKS, sizeof(*values), compare);
	add_sample(&cell->of[RUN], values[KNOCKS / 2]);
}

/* Each knock has its own source, and is signed later than all before. */
static void make_knocks(struct frame *frames, bool good)
{
	static __u32 source = 10u << 24;

	for (int i = 0; i < KNOCKS; i++) {
		struct iphdr *ip = (void *)(frames[i].data + sizeof(struct ether_header));

		frames[i] = build_signed(utc_now());
		ip->ttl = 64;
		ip->saddr = htonl(++source);
		ip->daddr = inet_addr("192.0.2.1");
		set_header_sum(ip);
		if (!good)
			spoil_signature(&frames[i]);
	}
}

static double grants(void)
{
	return read_figure("%s knock status -j | jq '.knocks[0].grants'", portctl);
}

void measure_signed(const struct workload *workload, struct cell *row)
{
	struct frame frames[KNOCKS];
	double empty[KNOCKS], ours[KNOCKS], granted, wanted;
	int nothing, program;

	enter(&candidates[PORTCTL]);
	candidates[PORTCTL].prepare(workload);
	candidates[PORTCTL].start(workload);
	candidates[EMPTY].start(workload);
	nothing = open_program(&candidates[EMPTY]);
	program = open_program(&candidates[PORTCTL]);
	enter(&candidates[PORTCTL]);
	granted = grants();
	for (int round = 0; round < ROUNDS_LIVE; round++) {
		make_knocks(frames, workload->signature == GOOD);
		for (int i = 0; i < KNOCKS; i++) {
			empty[i] = run_once(nothing, &frames[i]);
			ours[i] = run_once(program, &frames[i]);
		}
		add_median(&row[EMPTY], empty);
		add_median(&row[PORTCTL], ours);
	}
	granted = grants() - granted;
	wanted = workload->signature == GOOD ? ROUNDS_LIVE * KNOCKS : 0;
	if (granted != wanted) {
		fprintf(stderr, "%s: %.0f of %.0f were granted: no figure\n", workload->name,
			granted, wanted);
		row[EMPTY] = row[PORTCTL] = (struct cell){ 0 };
	}
	candidates[PORTCTL].stop();
	enter(NULL);
	close(nothing);
	close(program);
}
