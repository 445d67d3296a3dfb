// SPDX-License-Identifier: GPL-2.0-only
/* The figures as a table, and as JSON for plotting. */
#include <jansson.h>
#include <string.h>

#include "live.h"

static double middle(const struct figures *figures)
{
	return figures->rates[ROUNDS_LIVE / 2];
}

static double middle_cost(const struct figures *figures)
{
	return figures->costs[ROUNDS_LIVE / 2];
}

static bool has_row(const struct figures *row)
{
	return row[0].measured;
}

static void print_cell(FILE *out, const struct figures *row, size_t candidate)
{
	if (row[candidate].measured)
		fprintf(out, " %7.2f (%3.0f %%)", middle(&row[candidate]),
			100 * middle(&row[candidate]) / middle(&row[0]));
	else
		fprintf(out, " %7s %7s", "-", "");
}

/* The programs alone, of those who have one. */
static void report_costs(FILE *out, struct figures (*figures)[MOST_CANDIDATES])
{
	fprintf(out, "\n%-26s", "ns a packet by test run");
	for (size_t i = 0; i < candidate_count && candidates[i].program; i++)
		fprintf(out, " %15s", candidates[i].name);
	fputc('\n', out);
	for (size_t w = 0; w < workload_count; w++) {
		const struct figures *row = figures[w];

		if (!row[0].run)
			continue;
		fprintf(out, "%-26s", workloads[w].name);
		for (size_t i = 0; i < candidate_count && candidates[i].program; i++) {
			if (row[i].run)
				fprintf(out, " %7.1f (%4.2f)", middle_cost(&row[i]),
					middle_cost(&row[i]) / middle_cost(&row[0]));
			else
				fprintf(out, " %7s %6s", "-", "");
		}
		fputc('\n', out);
	}
}

static void report_starts(FILE *out, struct figures (*figures)[MOST_CANDIDATES])
{
	fprintf(out, "\n%-26s", "seconds to take up rules");
	for (size_t i = 1; i < candidate_count; i++)
		fprintf(out, " %15s", candidates[i].name);
	fputc('\n', out);
	for (size_t w = 0; w < workload_count; w++) {
		if (!has_row(figures[w]) ||
		    (workloads[w].ports < 1000 && workloads[w].sources < 1000))
			continue;
		fprintf(out, "%-26s", workloads[w].name);
		for (size_t i = 1; i < candidate_count; i++) {
			if (figures[w][i].measured)
				fprintf(out, " %15.3f", figures[w][i].start_seconds);
			else
				fprintf(out, " %15s", "-");
		}
		fputc('\n', out);
	}
}

void report_text(FILE *out, struct figures (*figures)[MOST_CANDIDATES])
{
	fprintf(out, "%-26s", "Mpps, median of 5");
	for (size_t i = 0; i < candidate_count; i++)
		fprintf(out, " %15s", candidates[i].name);
	fputc('\n', out);
	for (size_t w = 0; w < workload_count; w++) {
		if (!has_row(figures[w]))
			continue;
		fprintf(out, "%-26s", workloads[w].name);
		for (size_t i = 0; i < candidate_count; i++)
			print_cell(out, figures[w], i);
		fputc('\n', out);
	}
	report_costs(out, figures);
	report_starts(out, figures);
}

/*
 * What comes to a veth end on one CPU is all that any program can drop: nobody is asked for
 * more than nine tenths of that.
 */
bool report_check(const struct workload *workload, const struct figures *figures)
{
	bool good = true;

	for (size_t b = 0; b < 2 && workload->bounds[b].candidate; b++) {
		const struct bound *bound = &workload->bounds[b];
		size_t other = 0;
		double times, least;

		while (strcmp(candidates[other].name, bound->candidate))
			other++;
		times = middle(&figures[1]) / middle(&figures[other]);
		least = 0.9 * middle(&figures[0]) / middle(&figures[other]);
		least = bound->times < least || !other ? bound->times : least;
		good &= figures[1].measured && figures[other].measured && times >= least;
		printf("%s: %.2f times %s, at least %.2f asked\n", workload->name, times,
		       bound->candidate, least);
	}
	return good;
}

static json_t *candidate_json(const struct figures *row, size_t candidate)
{
	const struct figures *figures = &row[candidate];

	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:o}", "mpps", middle(figures), "least",
			 figures->rates[0], "most", figures->rates[ROUNDS_LIVE - 1], "of_empty",
			 middle(figures) / middle(&row[0]), "apply_seconds",
			 figures->start_seconds, "test_run_ns",
			 figures->run ? json_real(middle_cost(figures)) : json_null());
}

void report_json(FILE *out, struct figures (*figures)[MOST_CANDIDATES])
{
	json_t *rows = json_array();

	for (size_t w = 0; w < workload_count; w++) {
		json_t *cells = json_object();

		for (size_t i = 0; i < candidate_count; i++) {
			if (figures[w][i].measured)
				json_object_set_new(cells, candidates[i].name,
						    candidate_json(figures[w], i));
		}
		if (has_row(figures[w]))
			json_array_append_new(
				rows,
				json_pack("{s:s, s:i, s:i, s:O}", "row", workloads[w].name,
					  "rules", (int)workloads[w].ports, "sources",
					  (int)workloads[w].sources, "candidates", cells));
		json_decref(cells);
	}
	json_dumpf(rows, out, JSON_INDENT(1) | JSON_REAL_PRECISION(4));
	fputc('\n', out);
	json_decref(rows);
}
