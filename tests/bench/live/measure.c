// SPDX-License-Identifier: GPL-2.0-only
/* Measures one row: the candidates take turns, round by round. */
#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <unistd.h>

#include "live.h"
#include "scrape.h"

#define FIRST_COUNT 256
#define TURN_SECONDS 0.15
#define RUNS 1000000
#define SETTLE 250000 /* microseconds until the kernel has freed memory */
#define DRAIN 20000 /* microseconds, in which a receiver with packets uses CPU time */

/* A candidate while a row is measured. */
struct entrant {
	const struct candidate *candidate;
	struct cell *cell;
	struct frame frame;
	bool takes_part;
	unsigned int count; /* packets in a turn */
	double sent; /* packets so far */
	double judged; /* packets counted before the first was sent */
};

static bool has_sink(const struct workload *workload)
{
	return workload->fate != DROPPED;
}

/* Measures memory: of the maps, or how much the kernel's memory has grown since `before`. */
static void weigh(struct entrant *entrant, double before)
{
	const struct candidate *candidate = entrant->candidate;
	struct samples *samples = &entrant->cell->of[MEMORY];

	if (candidate->pins)
		add_sample(samples, maps_memory(candidate->pins()));
	else if (!candidate->program)
		add_sample(samples, kernel_memory() - before);
}

/* Discards memory figures that vary so much that other processes must have disturbed them. */
static void drop_noise(struct samples *samples)
{
	if (samples->count && most(samples) - least(samples) > 0.5 * median(samples) + 0.3)
		samples->count = 0;
}

static void start(struct entrant *entrant, const struct workload *workload, bool brief)
{
	const struct candidate *candidate = entrant->candidate;
	bool weighed = workload->weighed && !brief;
	double before = 0, begun;

	enter(candidate);
	entrant->takes_part = candidate->prepare(workload);
	if (entrant->takes_part) {
		if (weighed && !candidate->program)
			usleep(SETTLE);
		before = kernel_memory();
		begun = now();
		entrant->takes_part = candidate->start(workload);
		if (entrant->takes_part && candidate->list) /* the empty program has no rules */
			add_sample(&entrant->cell->of[APPLY], (now() - begun) * 1e3);
	}
	if (entrant->takes_part && weighed)
		weigh(entrant, before);
	enter(NULL);
}

static void stop(const struct entrant *entrant)
{
	enter(entrant->candidate);
	entrant->candidate->stop();
	enter(NULL);
}

/* Applies all rules several times; the last time they stay. */
static void start_all(struct entrant *entrants, const struct workload *workload, bool brief)
{
	for (int times = brief ? 1 : STARTS; times; times--) {
		for (size_t i = 0; i < candidate_count; i++) {
			start(&entrants[i], workload, brief);
			if (times > 1)
				stop(&entrants[i]);
		}
	}
	for (size_t i = 0; i < candidate_count; i++)
		drop_noise(&entrants[i].cell->of[MEMORY]);
}

static double count_judged(const struct entrant *entrant, const struct workload *workload)
{
	double judged;

	enter(entrant->candidate);
	judged = has_sink(workload) ? sunk() : entrant->candidate->judged();
	enter(NULL);
	return judged;
}

/* If the candidate did not count the packets sent, within 1 %, there is no figure. */
static void settle_up(struct entrant *entrant, const struct workload *workload)
{
	double judged = count_judged(entrant, workload) - entrant->judged;

	if (judged >= 0.99 * entrant->sent && judged <= 1.01 * entrant->sent)
		return;
	fprintf(stderr, "%s, %s: %.0f packets sent, %.0f %s: no figure\n", workload->name,
		entrant->candidate->name, entrant->sent, judged,
		has_sink(workload) ? "passed" : "dropped");
	entrant->takes_part = false;
	entrant->cell->lost = true;
	entrant->cell->of[RATE].count = entrant->cell->of[CPU].count = 0;
}

static double send(struct entrant *entrant)
{
	entrant->sent += entrant->count;
	return send_frames(entrant->candidate, &entrant->frame, entrant->count);
}

/*
 * Starting a run takes time, so a turn is one run of about TURN_SECONDS. Finds out how many
 * packets that is, by CPU time if known, which other processes do not change. Also warms up
 * caches and resolves neighbours.
 */
static void warm_up(struct entrant *entrant)
{
	double cpu, seconds;

	for (entrant->count = FIRST_COUNT;;) {
		cpu = cpu_seconds();
		seconds = send(entrant);
		if (cpu >= 0)
			seconds = cpu_seconds() - cpu;
		if (seconds >= TURN_SECONDS)
			return;
		entrant->count *= seconds > 0.01 ? 1.3 * TURN_SECONDS / seconds : 16;
	}
}

static void take_turn(struct entrant *entrant)
{
	double cpu = cpu_seconds(), seconds = send(entrant);

	add_sample(&entrant->cell->of[RATE], entrant->count / seconds / 1e6);
	if (cpu >= 0)
		add_sample(&entrant->cell->of[CPU],
			   (cpu_seconds() - cpu) / entrant->count * 1e6);
}

/* Waits until the receivers have no packets left. Returns their seconds of CPU time. */
static double receivers_at_rest(void)
{
	double seconds = receiver_seconds(), before;

	do {
		before = seconds;
		usleep(DRAIN);
		seconds = receiver_seconds();
	} while (seconds > before);
	return seconds;
}

/*
 * Packets that do not fit into the queue are lost, as in a flood at a network card. So the rate
 * is that of the packets judged, until the last of them was.
 */
static void receive(struct entrant *entrant, const struct workload *workload)
{
	double judged = count_judged(entrant, workload), received = receivers_at_rest(), sent;

	sent = send(entrant);
	received = receivers_at_rest() - received;
	judged = count_judged(entrant, workload) - judged;
	if (judged > 0 && sent > 0)
		add_sample(&entrant->cell->of[RECEIVER],
			   judged / (received > sent ? received : sent) / 1e6);
}

/* Measures rates with the sender on another CPU. */
static void measure_receivers(struct entrant *entrants, const struct workload *workload)
{
	bool threads = true;

	for (size_t i = 0; i < candidate_count; i++) {
		threads &= receive_in_threads(&candidates[i], true);
		/* The same number for all: sending takes as long for slow candidates. */
		entrants[i].count = entrants[EMPTY].count;
	}
	for (int round = 0; threads && round < ROUNDS_ASKED; round++) {
		for (size_t i = 0; i < candidate_count; i++) {
			if (entrants[i].takes_part)
				receive(&entrants[i], workload);
		}
	}
	for (size_t i = 0; i < candidate_count; i++)
		receive_in_threads(&candidates[i], false);
}

/* Measures the XDP programs by test run, on the same frame again and again. */
static void run_programs(struct entrant *entrants, const struct workload *workload)
{
	__u32 wanted = has_sink(workload) ? XDP_PASS : XDP_DROP, verdict;
	int programs[MOST_CANDIDATES];

	for (size_t i = 0; i < candidate_count; i++) {
		bool runs = entrants[i].takes_part && candidates[i].program;

		programs[i] = runs ? open_program(&candidates[i]) : -1;
	}
	for (int round = 0; round < ROUNDS_LIVE; round++) {
		for (size_t i = 0; i < candidate_count; i++) {
			double cost;

			if (programs[i] < 0)
				continue;
			enter(&candidates[i]); /* the program looks up its sockets */
			cost = run_program(programs[i], &entrants[i].frame, RUNS, &verdict);
			enter(NULL);
			if (verdict == wanted)
				add_sample(&entrants[i].cell->of[RUN], cost);
		}
	}
	for (size_t i = 0; i < candidate_count; i++) {
		if (programs[i] >= 0)
			close(programs[i]);
	}
}

/* Measures how long it takes to show the counters, all of which are nonzero by now. */
static void list_counters(struct entrant *entrants)
{
	for (int round = 0; round < ROUNDS_LIVE; round++) {
		for (size_t i = 0; i < candidate_count; i++) {
			double begun;

			if (!entrants[i].takes_part || !candidates[i].list)
				continue;
			enter(&candidates[i]);
			begun = now();
			if (candidates[i].list())
				add_sample(&entrants[i].cell->of[STATS], (now() - begun) * 1e3);
			enter(NULL);
		}
	}
}

static void scrape_counters(struct cell *cell)
{
	size_t ports;
	pid_t pid;

	enter(&candidates[PORTCTL]);
	pid = start_exporter();
	for (int round = 0; round < ROUNDS_LIVE; round++) {
		double seconds;

		usleep(100000); /* or export's pause between two scrapes would count */
		seconds = scrape(&ports);
		if (ports > 1000)
			add_sample(&cell->of[SCRAPE], seconds * 1e3);
	}
	stop_exporter(pid);
	enter(NULL);
}

static void flood(struct entrant *entrants, const struct workload *workload)
{
	int rounds = workload->receiver ? ROUNDS_ASKED : ROUNDS_LIVE;

	for (size_t i = 0; i < candidate_count; i++) {
		if (!entrants[i].takes_part)
			continue;
		if (has_sink(workload))
			begin_flow(&candidates[i], workload, &entrants[i].frame);
		entrants[i].judged = count_judged(&entrants[i], workload);
		warm_up(&entrants[i]);
	}
	for (int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < candidate_count; i++) {
			if (entrants[i].takes_part)
				take_turn(&entrants[i]);
		}
	}
	for (size_t i = 0; i < candidate_count; i++) {
		if (entrants[i].takes_part)
			settle_up(&entrants[i], workload);
	}
}

void measure(const struct workload *workload, struct cell *row, bool brief)
{
	struct frame frame = make_frame(workload);
	struct entrant entrants[MOST_CANDIDATES] = { 0 };

	for (size_t i = 0; i < candidate_count; i++) {
		row[i] = (struct cell){ 0 };
		entrants[i] = (struct entrant){ .candidate = &candidates[i],
						.cell = &row[i],
						.frame = frame };
	}
	start_all(entrants, workload, brief);
	flood(entrants, workload);
	if (workload->receiver)
		measure_receivers(entrants, workload);
	if (!brief)
		run_programs(entrants, workload);
	if (!brief && workload->listed) {
		list_counters(entrants);
		scrape_counters(&row[PORTCTL]);
	}
	for (size_t i = 0; i < candidate_count; i++) {
		if (has_sink(workload))
			end_flow(&candidates[i]);
		stop(&entrants[i]);
	}
}
