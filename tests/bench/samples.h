/* SPDX-License-Identifier: GPL-2.0-only */
/* A figure that is measured several times, and shown as its median, least and most. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <jansson.h>
#include <stddef.h>

#define MOST_SAMPLES 16

struct samples {
	size_t count; /* 0: not measured */
	double values[MOST_SAMPLES]; /* sorted */
};

/* Adds a value. More than MOST_SAMPLES are a bug, and end the program. */
void add_sample(struct samples *samples, double value);

/* These need at least one sample. */
double median(const struct samples *samples);
double least(const struct samples *samples);
double most(const struct samples *samples);

/* Returns {"median", "least", "most"}, or null without samples. */
json_t *samples_json(const struct samples *samples);

/* Seconds of CLOCK_MONOTONIC. */
double now(void);

#endif
