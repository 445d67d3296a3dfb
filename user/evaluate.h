/* SPDX-License-Identifier: GPL-2.0-only */
/* Asking a compiled ruleset, in user space, as the data path would. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "compile.h"

/*
 * The verdict on a packet from `source` (a whole address) with that key that
 * begins a conversation: limits are not reached, replies and DHCP not asked.
 * `now` is in nanoseconds since boot, for rules that end.
 */
enum verdict evaluate(const struct image *image, __u32 key, const struct prefix *source,
		      __u64 now);

#endif
