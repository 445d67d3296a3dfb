/* SPDX-License-Identifier: GPL-2.0-only */
/* Judging a packet with a compiled image, in user space, as the data path would. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "compile/image.h"
#include "portctl/detail.h"
#include "portctl/entry.h"

/*
 * The entry (verdict and line) that decides about a packet that begins a conversation, with
 * `key` and from `source` (a whole address). Limits count as not reached; the DHCP lifeline
 * is left out. `now` is in nanoseconds since boot; `doors` has a bit for each door that the
 * source has a grant for, door 1 first. Returns 0 if no entry decides.
 */
entry_t evaluate_entry(const struct image *image, __u32 key, const struct prefix *source,
		       __u64 now, __u64 doors);

/*
 * Like evaluate_entry(). Sets *decisive to the detail that the entry is from, of a rule that
 * ends, has a limit or is a door; NULL if it is from none.
 */
entry_t evaluate_detail(const struct image *image, __u32 key, const struct prefix *source,
			__u64 now, __u64 doors, const struct detail **decisive);

#endif
