// SPDX-License-Identifier: GPL-2.0-only
#include "base/clock.h"

#include <time.h>

static __u64 clock_now(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

__u64 since_boot(void)
{
	return clock_now(CLOCK_BOOTTIME);
}

__u64 utc_now(void)
{
	return clock_now(CLOCK_REALTIME);
}

/* Round to whole seconds: the two clocks are not read at the same moment. */
__u64 tai_offset(void)
{
	__u64 off = clock_now(CLOCK_TAI) - utc_now() + 500000000;

	return off / 1000000000 * 1000000000;
}

unsigned int ticks_per_second(void)
{
	struct timespec tick;

	/* The coarse clocks advance once a tick. */
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return (1000000000 + tick.tv_nsec / 2) / tick.tv_nsec;
}
