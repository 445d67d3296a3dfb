// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signed knocks that are verified, by test run. There is no live rate of them: portctl
 * verifies 10,000 a second of a door at most, and a good one is good once, so that each has
 * to be signed for itself. So each frame is made in advance and run once, by turns with the
 * empty program; the kernel takes the time of the one run. What it takes to read the clock
 * is in both figures, and the caches are colder than in a loop.
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

#define KNOCKS 150 /* a round, so that a limit of 1,000 at a time lets all of them */

static double run_once(int program, const struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data,
		    .data_size_in = frame->size, .repeat = 1);

	if (bpf_prog_test_run_opts(program, &opts) || opts.retval != XDP_DROP) {
		perror("a signed knock");
		exit(1);
	}
	return opts.duration;
}

static int compare(const void *a, const void *b)
{
	double x = *(double *)a, y = *(double *)b;

	return x < y ? -1 : x > y;
}

/* The one in the middle: an interrupt in the middle of a run is no news. */
static void add_middle(struct cell *cell, double *values)
{
	qsort(values, KNOCKS, sizeof(*values), compare);
	add_sample(&cell->of[RUN], values[KNOCKS / 2]);
}

/* Each from a source of its own, and signed later than all before. */
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
		add_middle(&row[EMPTY], empty);
		add_middle(&row[PORTCTL], ours);
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
