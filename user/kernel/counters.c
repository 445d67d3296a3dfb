// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/counters.h"

#include <sched.h>

/* From a counter's word of one CPU to that of the next. */
#define NEXT_CPU (sizeof(struct cpu_counters) / sizeof(count_t))

/* So often that whoever is adding a word to the sum is done, unless he never is. */
#define TRIES 10000

/*
 * Reads a counter once. A CPU whose word is full adds it to the sum, packets first, and
 * empties it then (carry() in bpf/charge.h). So false where it may have been on its way:
 * where a word is full, or the packets of the sum have changed.
 */
static bool read_once(const struct interface *iface, const struct tally *sum,
		      const count_t *count, struct tally *read)
{
	__u64 packets = __atomic_load_n(&sum->packets, __ATOMIC_ACQUIRE);
	count_t full = 0;

	*read = (struct tally){ .packets = packets };
	for (size_t cpu = 0; cpu < iface->cpus; cpu++) {
		count_t one = __atomic_load_n(&count[cpu * NEXT_CPU], __ATOMIC_ACQUIRE);
		struct tally tally = count_tally(one);

		full |= one;
		read->packets += tally.packets;
		read->bytes += tally.bytes;
	}
	read->bytes += __atomic_load_n(&sum->bytes, __ATOMIC_ACQUIRE);
	return !(full & COUNT_FULL) &&
	       __atomic_load_n(&sum->packets, __ATOMIC_RELAXED) == packets;
}

static struct tally read_counter(const struct interface *iface, const struct tally *sum,
				 const count_t *count)
{
	struct tally read;

	for (int i = 0; !read_once(iface, sum, count, &read) && i < TRIES; i++)
		sched_yield();
	return read;
}

struct tally counter_pass(const struct interface *iface, __u32 key)
{
	return read_counter(iface, &iface->counters->pass[key],
			    &iface->cpu_counters->pass[key]);
}

struct tally counter_drop(const struct interface *iface, __u32 key)
{
	return read_counter(iface, &iface->counters->drop[key],
			    &iface->cpu_counters->drop[key]);
}

struct tally counter_line(const struct interface *iface, __u32 line)
{
	return read_counter(iface, &iface->counters->line[line],
			    &iface->cpu_counters->line[line]);
}
