// SPDX-License-Identifier: GPL-2.0-only
/* The figures as tables, and as JSON for plotting. */
#include <jansson.h>

#include "live.h"

static const struct table {
	const char *key; /* in JSON */
	const char *title;
	const char *note;
	int digits; /* behind the point */
	bool compared; /* with the empty program */
} tables[] = {
	[RATE] = { "mpps", "Million packets a second, live",
		   "More is better. They come in through a veth pair and are made and judged on "
		   "one CPU; the\nempty program shows what making them takes. \"passes\": they "
		   "are let in, the kernel takes them up,\nand a chain of nftables behind all "
		   "candidates drops them; the empty program passes all.\n\"bogus signed "
		   "knocks\": more than are verified (10,000 a second).",
		   2, true },
	[CPU] = { "cpu_seconds_per_million", "CPU seconds for a million packets",
		  "Less is better. Of the sending process and of ksoftirqd, in the same turns.",
		  3, true },
	[RECEIVER] = { "receiver_mpps",
		       "Million packets a second, the receiving side on a CPU of its own",
		       "More is better. In turns of their own: made on one CPU, judged on another, in "
		       "a thread (threaded\nNAPI). Of those judged: what the thread has no time for is "
		       "lost on the way, as at a network card.\nWhatever reads a packet, which the "
		       "empty program does not, has to fetch it from the other CPU.",
		       2, true },
	[RUN] = { "test_run_ns", "Nanoseconds a packet, by test run (BPF_PROG_TEST_RUN)",
		  "Less is better. One packet a million times, one port and one source; XDP "
		  "programs only. Part of\nit is the test's own: see the empty program. \"a ... "
		  "signed knock\": each another one and run once;\nthey have no live rate, since "
		  "each has to be signed and only 10,000 a second are verified.",
		  1, true },
	[APPLY] = { "apply_ms", "Milliseconds to take up the rules",
		    "Less is better. A process of the candidate's own tool, from a file of rules; the "
		    "XDP programs are\nattached before. xdp-filter: one process for the first port "
		    "or source, which is all that its tool\ndoes at a time; the others are written "
		    "into its map directly.",
		    1, false },
	[MEMORY] = { "memory_mib", "MiB in the kernel",
		     "Less is better. XDP programs: what their maps say they take. Others: by how "
		     "much the kernel's\nmemory grew meanwhile, which counts what anybody else "
		     "did too; where that was too much: -.",
		     2, false },
	[STATS] = { "stats_ms", "Milliseconds to see the counters of all ports",
		    "Less is better. portctl stats -j, xdp-filter status, nft -j list ruleset, "
		    "iptables -t raw -vnxL.\nThe peers count, and show, only ports that have "
		    "rules; portctl all 65,536 of them.",
		    1, false },
	[SCRAPE] = { "scrape_ms", "Milliseconds for a scrape (portctl export)",
		     "Less is better. 65,536 ports have counted, 1,000 are shown, and all rules. "
		     "The peers have none.",
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

/* As many digits as the table has, more where nothing would be left, few of a big figure. */
static int digits_of(double value, enum quantity quantity)
{
	int digits = tables[quantity].digits;

	if (value >= 100)
		return digits ? 1 : 0;
	return digits + (value < 0.05 && value > 0 ? 2 : 0);
}

static void print_middle(FILE *out, const struct cell *row, size_t i, enum quantity quantity)
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
		print_middle(out, row, i, quantity);
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
