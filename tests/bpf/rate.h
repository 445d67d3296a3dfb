/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a limit lets through what it should, on a machine where this process may have
 * to wait at any time: compared is with the time that went by.
 */
#ifndef RATE_H
#define RATE_H

#include <time.h>

#include "filter.h"

#define A_SECOND 1000000000ull
#define SENT_MAX 1000000

static inline __u64 boot_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * A_SECOND + now.tv_nsec;
}

struct rate {
	enum verdict verdict; /* of what is let through */
	unsigned int rate; /* a second */
	unsigned int burst;
};

static inline bool is_through(const struct filter *filter, const struct frame *frame,
			      const struct rate *rate)
{
	__u32 verdict;

	if (filter_run(filter, frame, 1, &verdict))
		tap_bail("a frame could not be run");
	return verdict == rate->verdict;
}

/* A bucket that is empty lets the burst through, and what comes due meanwhile. */
static inline void check_burst(const struct filter *filter, const struct frame *frame,
			       const struct rate *rate)
{
	__u64 start = boot_time(), through = 0, most;

	while (through < SENT_MAX && is_through(filter, frame, rate))
		through++;
	most = rate->burst + (boot_time() - start) * rate->rate / A_SECOND + 1;
	if (through < rate->burst || through > most)
		tap_wrong("%llu at once, not %u to %llu", through, rate->burst, most);
}

/* After that, for half a second: of a pause longer than the burst the rest is lost. */
static inline void check_rate(const struct filter *filter, const struct frame *frame,
			      const struct rate *rate)
{
	__u64 start = boot_time(), last = start, now, through = 0, sent = 0, least, most;
	__u64 lost = 0, room = rate->burst * A_SECOND / rate->rate;

	for (; (now = boot_time()) < start + A_SECOND / 2; last = now, sent++) {
		if (now - last > room)
			lost += now - last - room;
		through += is_through(filter, frame, rate);
	}
	most = (boot_time() - start) * rate->rate / A_SECOND + 1;
	least = (last - start - lost) * rate->rate / A_SECOND;
	if (through + 2 < (least < sent ? least : sent) || through > most)
		tap_wrong("%llu of %llu in half a second, not %llu to %llu", through, sent,
			  least, most);
}

#endif
