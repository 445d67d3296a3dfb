// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `bench-check` asks: that portctl is ahead of every peer in every row they share,
 * and the bounds of the rows, in some also where the receiving side has a CPU of its own.
 * Ratios of one run only, never a time.
 *
 * Where the empty program itself is not well beyond a bound on a peer, the machine takes so
 * long to make a packet and bring it to any XDP program that none could reach it by much,
 * however fast. Then the bound is not met on one CPU, which is said, and what portctl adds to
 * a packet's time is asked to be the part of what the peer adds that the bound meant where
 * it was set.
 *
 * Rates are those for a second of CPU time, where that is known: what they would be by the
 * clock if the machine did nothing else. Those by the clock are said as well.
 */
#include <string.h>

#include "live.h"

#define REACH 0.85 /* of the empty program's rate, the most that is asked of any program */

static double rate_by_clock(const struct cell *row, size_t candidate)
{
	return median(&row[candidate].of[RATE]);
}

static double rate(const struct cell *row, size_t candidate)
{
	const struct samples *cpu = &row[candidate].of[CPU];

	return cpu->count ? 1 / median(cpu) : rate_by_clock(row, candidate);
}

static bool has_rate(const struct cell *row, size_t candidate)
{
	return row[candidate].of[RATE].count;
}

/* Nanoseconds of a packet that are not the machine's own. */
static double net_cost(const struct cell *row, size_t candidate)
{
	return 1e3 / rate(row, candidate) - 1e3 / rate(row, EMPTY);
}

static const char *verdict(bool good)
{
	return good ? "good" : "FALLS SHORT";
}

static void say_times(const char *name, const struct cell *row, size_t other)
{
	printf("%-27s %7.2f times %s (%.2f by the clock), ", name,
	       rate(row, PORTCTL) / rate(row, other), candidates[other].name,
	       rate_by_clock(row, PORTCTL) / rate_by_clock(row, other));
}

static bool check_ahead(const struct workload *workload, const struct cell *row, size_t peer)
{
	bool good = rate(row, PORTCTL) > rate(row, peer);

	say_times(workload->name, row, peer);
	printf("asked: ahead: %s\n", verdict(good));
	return good;
}

static bool check_cost(const struct cell *row, size_t other, const struct bound *bound)
{
	double ours = net_cost(row, PORTCTL), theirs = net_cost(row, other);
	bool good = ours <= theirs * bound->part;

	printf("    What each adds to a packet's time: portctl %.1f ns, %s %.1f ns, a part of "
	       "%.3f, at most %.3f asked: %s\n",
	       ours, bound->candidate, theirs, ours / theirs, bound->part, verdict(good));
	return good;
}

/* The same bound where the sender is on another CPU. */
static bool check_receiver(const char *name, const struct cell *row, size_t other, double asked)
{
	const struct samples *ours = &row[PORTCTL].of[RECEIVER],
			     *theirs = &row[other].of[RECEIVER];
	double times;

	if (!ours->count || !theirs->count) {
		printf("%-27s no figure of the receiving side on a CPU of its own: %s\n", name,
		       verdict(false));
		return false;
	}
	times = median(ours) / median(theirs);
	printf("%-27s %7.2f times %s on a CPU of its own, at least %.2f asked: %s\n", name,
	       times, candidates[other].name, asked, verdict(times >= asked));
	return times >= asked;
}

static bool check_bound(const struct workload *workload, const struct cell *row, size_t other,
			const struct bound *bound)
{
	double times;

	if (!has_rate(row, PORTCTL) || !has_rate(row, other)) {
		printf("%-27s no figure of portctl or of %s: %s\n", workload->name,
		       bound->candidate, verdict(false));
		return false;
	}
	times = rate(row, PORTCTL) / rate(row, other);
	say_times(workload->name, row, other);
	printf("at least %.2f asked", bound->times);
	if (other == EMPTY || times >= bound->times ||
	    rate(row, EMPTY) / rate(row, other) >= bound->times / REACH) {
		printf(": %s\n", verdict(times >= bound->times));
		return times >= bound->times;
	}
	printf(": NOT MET\n    The empty program, which does nothing, reaches %.2f times %s "
	       "here. So instead:\n",
	       rate(row, EMPTY) / rate(row, other), bound->candidate);
	return check_cost(row, other, bound);
}

static bool check_bounds(const struct workload *workload, const struct cell *row)
{
	bool good = true;

	for (size_t b = 0; b < 2 && workload->bounds[b].candidate; b++) {
		const struct bound *bound = &workload->bounds[b];
		size_t other = 0;

		while (strcmp(candidates[other].name, bound->candidate))
			other++;
		good &= check_bound(workload, row, other, bound);
		if (workload->receiver)
			good &= check_receiver(workload->name, row, other, bound->times);
	}
	return good;
}

static bool check_row(const struct workload *workload, const struct cell *row)
{
	bool good = has_rate(row, PORTCTL) && has_rate(row, EMPTY);

	if (!good) {
		printf("%-27s no figure of portctl: %s\n", workload->name, verdict(false));
		return false;
	}
	for (size_t i = FIRST_PEER; i < candidate_count; i++) {
		if (row[i].lost) {
			printf("%-27s no figure of %s: %s\n", workload->name,
			       candidates[i].name, verdict(false));
			good = false;
		} else if (has_rate(row, i)) {
			good &= check_ahead(workload, row, i);
		}
	}
	good &= check_bounds(workload, row);
	fflush(stdout);
	return good;
}

/* One that falls short may try again: something else may have been at work meanwhile. */
bool check_all(struct cell (*rows)[MOST_CANDIDATES])
{
	bool good = true;

	for (size_t i = 0; i < workload_count; i++) {
		if (workloads[i].signature ||
		    (workloads[i].knocks && !workloads[i].bounds[0].candidate))
			continue; /* no peer has it */
		measure(&workloads[i], rows[i], true);
		if (check_row(&workloads[i], rows[i]))
			continue;
		puts("once more:");
		measure(&workloads[i], rows[i], true);
		good &= check_row(&workloads[i], rows[i]);
	}
	puts(good ? "all is as asked, but for what is said not to be met"
		  : "portctl falls short");
	return good;
}
