/* SPDX-License-Identifier: GPL-2.0-only */
/* What time it is, by the clocks that the data path goes by. */
#ifndef CLOCK_H
#define CLOCK_H

#include <linux/types.h>

/* Nanoseconds since boot, as the data path counts them (CLOCK_BOOTTIME). */
__u64 since_boot(void);

/* Nanoseconds since 1970, UTC. */
__u64 utc_now(void);

/*
 * Nanoseconds that CLOCK_TAI is before UTC, as the kernel has it now: whole seconds, 0 until
 * somebody tells it. The data path has it from the last datapath_open().
 */
__u64 tai_offset(void);

/* The kernel's timer ticks (jiffies) a second: CONFIG_HZ. */
unsigned int ticks_per_second(void);

#endif
