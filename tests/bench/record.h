/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of this benchmark: printed, and kept for JSON. */
#ifndef RECORD_H
#define RECORD_H

#include <stdio.h>

#include "samples.h"

void record_heading(void);

/* Nanoseconds a packet: of the empty program, of portctl, by how much it is above. */
void record_packet(const char *name, int target, const struct samples *empty,
		   const struct samples *ours, const struct samples *above);

/* Any other figure, of which so much is asked. */
void record_figure(const char *name, const struct samples *samples, const char *unit,
		   const char *asked);

/* Writes all of it and closes the file; returns 0, or -1 where it cannot. */
int record_write(FILE *out);

#endif
