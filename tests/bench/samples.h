/* SPDX-License-Identifier: GPL-2.0-only */
/* A figure: measured several times, told as its median and how far apart they were. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <jansson.h>
#include <stddef.h>

#define MOST_SAMPLES 16

struct samples {
	size_t count; /* 0: not measured */
	double values[MOST_SAMPLES]; /* from the least to the most */
};

/* One more; beyond MOST_SAMPLES it is an error of the program, which ends. */
void add_sample(struct samples *samples, double value);

/* Of samples that are there. */
double median(const struct samples *samples);
double least(const struct samples *samples);
double most(const struct samples *samples);

/* {"median", "least", "most"}, or null where there are none. */
json_t *samples_json(const struct samples *samples);

double now(void); /* seconds */

#endif
