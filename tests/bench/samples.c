// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "samples.h"

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

void add_sample(struct samples *samples, double value)
{
	size_t place = samples->count++;

	if (place == MOST_SAMPLES) {
		fprintf(stderr, "too many samples\n");
		exit(1);
	}
	for (; place && samples->values[place - 1] > value; place--)
		samples->values[place] = samples->values[place - 1];
	samples->values[place] = value;
}

double median(const struct samples *samples)
{
	size_t half = samples->count / 2;

	if (samples->count % 2)
		return samples->values[half];
	return (samples->values[half - 1] + samples->values[half]) / 2;
}

double least(const struct samples *samples)
{
	return samples->values[0];
}

double most(const struct samples *samples)
{
	return samples->values[samples->count - 1];
}

json_t *samples_json(const struct samples *samples)
{
	if (!samples->count)
		return json_null();
	return json_pack("{s:f, s:f, s:f}", "median", median(samples), "least", least(samples),
			 "most", most(samples));
}
