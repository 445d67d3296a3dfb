/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of bench: prints each, and keeps it for the JSON file. */
#ifndef RECORD_H
#define RECORD_H

#include <stdio.h>

#include "samples.h"

void record_heading(void);

/*
 * Records a row of nanoseconds a packet: of the empty program, of portctl, and what portctl
 * adds. `target` is the bound of what portctl adds.
 */
void record_packet(const char *name, int target, const struct samples *empty,
		   const struct samples *ours, const struct samples *above);

/* A row of any other figure; `asked` is its bound as text. */
void record_figure(const char *name, const struct samples *samples, const char *unit,
		   const char *asked);

/* Writes all rows as JSON and closes the file. Returns 0, or -1 on failure. */
int record_write(FILE *out);

#endif
