/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks. While a capture is replayed, all of them say when the frame was captured. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/maps.h"

#define SECOND 1000000000ull

/* Nanoseconds since boot. */
static __always_inline __u64 boot_now(void)
{
	return purpose == PURPOSE_REPLAY ? inquiry.now : bpf_ktime_get_boot_ns();
}

/* Nanoseconds since 1970, UTC. */
static __always_inline __u64 utc_now(void)
{
	return purpose == PURPOSE_REPLAY ? inquiry.now
					 : bpf_ktime_get_tai_ns() - control.tai_offset;
}

/* The kernel's ticks (jiffies). */
static __always_inline __u64 ticks_now(void)
{
	return purpose == PURPOSE_REPLAY
		       ? inquiry.now / (SECOND / 1000) * ticks_per_second / 1000
		       : bpf_jiffies64();
}

#endif
