/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks the rate and the burst of a limit. The process may be preempted at any time, so the
 * packets let through are compared with the time that really passed.
 */
#ifndef RATE_H
#define RATE_H

#include "filter.h"

#define SENT_MAX 1000000

struct rate {
	enum verdict verdict; /* of packets within the limit */
	unsigned int rate; /* packets a second */
	unsigned int burst; /* packets */
};

static inline bool is_through(const struct filter *filter, const struct frame *frame,
			      const struct rate *rate)
{
	__u32 verdict;

	if (filter_run(filter, frame, 1, &verdict))
		tap_bail("a frame could not be run");
	return verdict == rate->verdict;
}

/* From a fresh limit: the burst is let through, and what the rate adds meanwhile. */
static inline void check_burst(const struct filter *filter, const struct frame *frame,
			       const struct rate *rate)
{
	__u64 start = clock_time(CLOCK_BOOTTIME), through = 0, most;

	while (through < SENT_MAX && is_through(filter, frame, rate))
		through++;
	most = rate->burst + (clock_time(CLOCK_BOOTTIME) - start) * rate->rate / SECOND + 1;
	if (through < rate->burst || through > most)
		tap_wrong("%llu at once, not %u to %llu", through, rate->burst, most);
}

/*
 * From a limit whose burst is used up, for half a second. A pause longer than the burst lasts
 * earns nothing more: that time is subtracted.
 */
static inline void check_rate(const struct filter *filter, const struct frame *frame,
			      const struct rate *rate)
{
	__u64 start = clock_time(CLOCK_BOOTTIME), last = start, now, through = 0, sent = 0,
	      least, most;
	__u64 lost = 0, room = rate->burst * SECOND / rate->rate;

	for (; (now = clock_time(CLOCK_BOOTTIME)) < start + SECOND / 2; last = now, sent++) {
		if (now - last > room)
			lost += now - last - room;
		through += is_through(filter, frame, rate);
	}
	most = (clock_time(CLOCK_BOOTTIME) - start) * rate->rate / SECOND + 1;
	least = (last - start - lost) * rate->rate / SECOND;
	if (through + 2 < (least < sent ? least : sent) || through > most)
		tap_wrong("%llu of %llu in half a second, not %llu to %llu", through, sent,
			  least, most);
}

#endif
