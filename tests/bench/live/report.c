// SPDX-License-Identifier: GPL-2.0-only
/* Prints the figures as tables, and writes them as JSON. */
#include <jansson.h>

#include "live.h"

static const struct table {
	const char *key; /* in JSON */
	const char *title;
	const char *note;
	int digits; /* after the decimal point */
	bool compared; /* with the empty program */
} tables[] = {
	[RATE] = { "mpps", "Million packets a second, live",
		   "More is better. Packets come in through a veth pair and are made and judged "
		   "on one CPU; the empty\nprogram shows what making them costs. \"passes\": "
		   "packets pass, and a chain of nftables behind all\ncandidates drops them; the "
		   "empty program passes all. \"signed knocks, wrong tags\": more than are\n"
		   "verified (10,000 a second).",
		   2, true },
	[CPU] = { "cpu_seconds_per_million", "CPU seconds for a million packets",
		  "Less is better. CPU time of the sending process and of ksoftirqd, in the same "
		  "turns.",
		  3, true },
	[RECEIVER] = { "receiver_mpps",
		       "Million packets a second, with the receiving side on another CPU",
		       "More is better. In separate turns: packets are made on one CPU and judged on "
		       "another, in a thread\n(threaded NAPI). The rate is of packets judged: those "
		       "for which the thread has no time are lost, as at\na network card. Programs that "
		       "read a packet, unlike the empty one, fetch it from the other CPU.",
		       2, true },
	[RUN] = { "test_run_ns", "Nanoseconds a packet, by test run (BPF_PROG_TEST_RUN)",
		  "Less is better. One packet a million times, one port and one source; XDP "
		  "programs only. Part of the\ntime is the test run's own: see the empty program. "
		  "\"a signed knock\": many different ones, each run\nonce; they have no live "
		  "rate, since each must be signed and only 10,000 a second are verified.",
		  1, true },
	[APPLY] = { "apply_ms", "Milliseconds to apply the rules",
		    "Less is better. A process of the candidate's own tool, from a file of rules; "
		    "XDP programs are attached\nbefore. xdp-filter: one process for the first port "
		    "or source, since its tool adds one at a time; the\nothers are written into "
		    "its map directly.",
		    1, false },
	[MEMORY] = { "memory_mib", "MiB in the kernel",
		     "Less is better. XDP programs: what their maps say they use. Others: how much "
		     "the kernel's memory grew,\nwhich includes that of other processes; \"-\" if "
		     "these disturbed it too much.",
		     2, false },
	[STATS] = { "stats_ms", "Milliseconds to show the counters of all ports",
		    "Less is better. portctl stats -j, xdp-filter status, nft -j list ruleset, "
		    "iptables -t raw -vnxL.\nThe peers count and show only ports with rules; "
		    "portctl all 65,536.",
		    1, false },
	[SCRAPE] = { "scrape_ms", "Milliseconds for a scrape (portctl export)",
		     "Less is better. 65,536 ports have counted, 1,000 of them and all rules are "
		     "shown. The peers have none.",
		     1, false },
};

static bool has(const struct cell *cell, enum quantity quantity)
{
	return cell->of[quantity].count;
}

static bool has_row(const struct cell *row, enum quantity quantity)
{
	for (size_t i = 0; i < candidate_count; i++) {
		if (has(&row[i], quantity))
			return true;
	}
	return false;
}

static double of_empty(const struct cell *row, size_t candidate, enum quantity quantity)
{
	return median(&row[candidate].of[quantity]) / median(&row[EMPTY].of[quantity]);
}

/* The table's number of digits, more for very small values, fewer for large ones. */
static int digits_of(double value, enum quantity quantity)
{
	int digits = tables[quantity].digits;

	if (value >= 100)
		return digits ? 1 : 0;
	return digits + (value < 0.05 && value > 0 ? 2 : 0);
}

static void print_median(FILE *out, const struct cell *row, size_t i, enum quantity quantity)
{
	double value, ratio;
	int digits;

	if (!has(&row[i], quantity)) {
		fprintf(out, " %9s %7s", "-", "");
		return;
	}
	value = median(&row[i].of[quantity]);
	digits = digits_of(value, quantity);
	if (!tables[quantity].compared || !has(&row[EMPTY], quantity)) {
		fprintf(out, " %9.*f %7s", digits, value, "");
		return;
	}
	ratio = of_empty(row, i, quantity);
	fprintf(out, " %9.*f (%5.*f)", digits, value,
		ratio < 10    ? 3
		: ratio < 100 ? 2
			      : 0,
		ratio);
}

static void print_spread(FILE *out, const struct cell *row, size_t i, enum quantity quantity)
{
	const struct samples *samples = &row[i].of[quantity];
	char spread[64] = "";
	int digits;

	if (samples->count) {
		digits = digits_of(median(samples), quantity);
		snprintf(spread, sizeof(spread), "%.*f to %.*f", digits, least(samples), digits,
			 most(samples));
	}
	fprintf(out, " %17s", spread);
}

static void print_row(FILE *out, const char *name, const struct cell *row,
		      enum quantity quantity)
{
	fprintf(out, "%-27s", name);
	for (size_t i = 0; i < candidate_count; i++)
		print_median(out, row, i, quantity);
	fprintf(out, "\n%-27s", "");
	for (size_t i = 0; i < candidate_count; i++)
		print_spread(out, row, i, quantity);
	fputc('\n', out);
}

static void print_table(FILE *out, struct cell (*rows)[MOST_CANDIDATES], enum quantity quantity)
{
	bool begun = false;

	for (size_t w = 0; w < workload_count; w++) {
		if (!has_row(rows[w], quantity))
			continue;
		if (!begun) {
			fprintf(out, "\n== %s\n%s\n\n%-27s", tables[quantity].title,
				tables[quantity].note, "");
			for (size_t i = 0; i < candidate_count; i++)
				fprintf(out, " %17s", candidates[i].name);
			fputc('\n', out);
		}
		begun = true;
		print_row(out, workloads[w].name, rows[w], quantity);
	}
}

void report_text(FILE *out, struct cell (*rows)[MOST_CANDIDATES])
{
	for (int quantity = 0; quantity < QUANTITIES; quantity++)
		print_table(out, rows, quantity);
}

static json_t *cell_json(const struct cell *row, size_t candidate)
{
	json_t *figures = json_object();

	for (int quantity = 0; quantity < QUANTITIES; quantity++) {
		json_t *figure;

		if (!has(&row[candidate], quantity))
			continue;
		figure = samples_json(&row[candidate].of[quantity]);
		if (tables[quantity].compared && has(&row[EMPTY], quantity))
			json_object_set_new(figure, "of_empty",
					    json_real(of_empty(row, candidate, quantity)));
		json_object_set_new(figures, tables[quantity].key, figure);
	}
	return figures;
}

static json_t *row_json(const struct workload *workload, const struct cell *row)
{
	json_t *cells = json_object();

	for (size_t i = 0; i < candidate_count; i++) {
		json_t *figures = cell_json(row, i);

		if (json_object_size(figures))
			json_object_set(cells, candidates[i].name, figures);
		json_decref(figures);
	}
	return json_pack("{s:s, s:i, s:i, s:i, s:b, s:o}", "row", workload->name, "rules",
			 (int)workload->rules, "ports", (int)workload->ports, "sources",
			 (int)workload->sources, "passes", workload->fate != DROPPED,
			 "candidates", cells);
}

int report_json(FILE *out, struct cell (*rows)[MOST_CANDIDATES])
{
	json_t *list = json_array();
	int err;

	for (size_t w = 0; w < workload_count; w++) {
		json_t *row = row_json(&workloads[w], rows[w]);

		if (json_object_size(json_object_get(row, "candidates")))
			json_array_append(list, row);
		json_decref(row);
	}
	err = json_dumpf(list, out, JSON_INDENT(1) | JSON_REAL_PRECISION(4));
	json_decref(list);
	return fclose(out) || err ? -1 : 0;
}
