// SPDX-License-Identifier: GPL-2.0-only
#include "record.h"

static json_t *rows;

static void keep(json_t *row)
{
	if (!rows)
		rows = json_array();
	json_array_append_new(rows, row);
}

void record_heading(void)
{
	printf("%-34s %8s %8s %6s %8s   (least to most; bound)\n", "", "empty", "portctl",
	       "ratio", "above");
}

void record_packet(const char *name, int target, const struct samples *empty,
		   const struct samples *ours, const struct samples *above)
{
	printf("%-34s %8.1f %8.1f %6.2f %8.1f   (%.1f to %.1f; at most %d)\n", name,
	       median(empty), median(ours), median(ours) / median(empty), median(above),
	       least(above), most(above), target);
	keep(json_pack("{s:s, s:s, s:o, s:o, s:o, s:f, s:i}", "row", name, "unit",
		       "ns a packet", "empty", samples_json(empty), "portctl",
		       samples_json(ours), "above", samples_json(above), "of_empty",
		       median(ours) / median(empty), "above_at_most", target));
}

void record_figure(const char *name, const struct samples *samples, const char *unit,
		   const char *asked)
{
	printf("%-44s %8.2f %-12s (%.2f to %.2f; %s)\n", name, median(samples), unit,
	       least(samples), most(samples), asked);
	keep(json_pack("{s:s, s:s, s:o, s:s}", "row", name, "unit", unit, "portctl",
		       samples_json(samples), "asked", asked));
}

int record_write(FILE *out)
{
	int err = json_dumpf(rows, out, JSON_INDENT(1) | JSON_REAL_PRECISION(4));

	return fclose(out) || err ? -1 : 0;
}
