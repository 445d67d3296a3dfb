/* SPDX-License-Identifier: GPL-2.0-only */
/* The clocks that the data path uses. */
#ifndef CLOCK_H
#define CLOCK_H

#include <linux/types.h>

/* Nanoseconds since boot (CLOCK_BOOTTIME), the same clock as in the data path. */
__u64 since_boot(void);

/* Nanoseconds since 1970, UTC (CLOCK_REALTIME). */
__u64 utc_now(void);

/*
 * The kernel's TAI offset now, in nanoseconds: how far CLOCK_TAI is ahead of UTC. Always whole
 * seconds; 0 until a time service sets it. The data path uses the value of the last
 * datapath_open().
 */
__u64 tai_offset(void);

/* The kernel's timer ticks (jiffies) a second: CONFIG_HZ. */
unsigned int ticks_per_second(void);

#endif
