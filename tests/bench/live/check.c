// SPDX-License-Identifier: GPL-2.0-only
/*
 * `make bench-check`: portctl must be ahead of every peer in every row they share, and within
 * the bounds of the rows, for some rows also with the receiving side on another CPU. Only
 * ratios of one run count, never a time.
 *
 * If the empty program itself is not well above a bound, no XDP program can reach that bound:
 * the machine takes too long to make a packet and deliver it. The output then says that the
 * bound is not met, and the check is instead on what portctl adds to a packet's time: at most
 * the part of what the peer adds that the bound meant on the machine where it was set.
 *
 * Rates are for a second of CPU time if that is known: they equal the rates by the clock on a
 * machine that does nothing else. The rates by the clock are printed too.
 */
#include <string.h>

#include "live.h"

#define REACH 0.85 /* no program is expected to exceed this part of the empty program's rate */

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

/* Nanoseconds that a candidate adds to a packet's time. */
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
	printf("must be ahead: %s\n", verdict(good));
	return good;
}

static bool check_cost(const struct cell *row, size_t other, const struct bound *bound)
{
	double ours = net_cost(row, PORTCTL), theirs = net_cost(row, other);
	bool good = ours <= theirs * bound->part;

	printf("    Added to a packet's time: portctl %.1f ns, %s %.1f ns, a part of %.3f, "
	       "bound at most %.3f: %s\n",
	       ours, bound->candidate, theirs, ours / theirs, bound->part, verdict(good));
	return good;
}

/* The same bound with the sender on another CPU. */
static bool check_receiver(const char *name, const struct cell *row, size_t other, double asked)
{
	const struct samples *ours = &row[PORTCTL].of[RECEIVER],
			     *theirs = &row[other].of[RECEIVER];
	double times;

	if (!ours->count || !theirs->count) {
		printf("%-27s no figure with the receiving side on another CPU: %s\n", name,
		       verdict(false));
		return false;
	}
	times = median(ours) / median(theirs);
	printf("%-27s %7.2f times %s on another CPU, bound at least %.2f: %s\n", name, times,
	       candidates[other].name, asked, verdict(times >= asked));
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
	printf("bound at least %.2f", bound->times);
	if (other == EMPTY || times >= bound->times ||
	    rate(row, EMPTY) / rate(row, other) >= bound->times / REACH) {
		printf(": %s\n", verdict(times >= bound->times));
		return times >= bound->times;
	}
	printf(": NOT MET\n    The empty program itself reaches only %.2f times %s here. "
	       "Instead:\n",
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

/* A row that falls short is measured once more, because other work may have disturbed it. */
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
		puts("measured once more:");
		measure(&workloads[i], rows[i], true);
		good &= check_row(&workloads[i], rows[i]);
	}
	puts(good ? "all bounds hold, except those said not to be met" : "portctl falls short");
	return good;
}
