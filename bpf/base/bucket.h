/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Token buckets: GCRA, the virtual scheduling form (ITU-T I.371, annex A). A bucket is one
 * number: when the next packet is due, in nanoseconds since boot.
 */
#ifndef BASE_BUCKET_H
#define BASE_BUCKET_H

#include "base/clock.h"

#define BUCKET_TRIES 4

/*
 * Takes from a bucket what one packet needs. `interval` is the time between packets at the
 * limit, `tolerance` how much earlier than due a packet may come: the burst; both in
 * nanoseconds. Returns false over the limit, and then writes nothing.
 */
static __always_inline bool bucket_take(__u64 *bucket, __u64 interval, __u64 tolerance)
{
	__u64 now = boot_now();

	if (purpose == PURPOSE_EXPLAIN)
		return *(volatile __u64 *)bucket <= now + tolerance;
	for (int i = 0; i < BUCKET_TRIES; i++) {
		__u64 due = *(volatile __u64 *)bucket;
		__u64 next = (due > now ? due : now) + interval;

		if (due > now + tolerance)
			return false;
		if (__sync_val_compare_and_swap(bucket, due, next) == due)
			return true;
	}
	return false; /* other CPUs took packets meanwhile, and the limit is reached */
}

#endif
