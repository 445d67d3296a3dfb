/* SPDX-License-Identifier: GPL-2.0-only */
/* Asking a compiled ruleset, in user space, as the data path would. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "compile/compile.h"
#include "portctl/detail.h"
#include "portctl/entry.h"

/*
 * The verdict on a packet from `source` (a whole address) with that key that
 * begins a conversation: limits are not reached, replies and DHCP not asked.
 * `now` is in nanoseconds since boot, for rules that end.
 */
enum verdict evaluate(const struct image *image, __u32 key, const struct prefix *source,
		      __u64 now);

/*
 * The same as the entry that decides, verdict and line, where the source has a grant for
 * some doors: a bit for each, number 1 first. 0 where none decides.
 */
entry_t evaluate_entry(const struct image *image, __u32 key, const struct prefix *source,
		       __u64 now, __u64 doors);

/*
 * The same, and which detail that entry is from: that of a rule that ends, has a limit or
 * is a door. NULL where the entry is from none.
 */
entry_t evaluate_detail(const struct image *image, __u32 key, const struct prefix *source,
			__u64 now, __u64 doors, const struct detail **decisive);

#endif
