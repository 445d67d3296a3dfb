/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Charging: before its verdict is returned, each packet is counted at exactly one line and, if
 * it has a port, at exactly one port. So the lines always add up to the packets seen.
 */
#ifndef VERDICT_CHARGE_H
#define VERDICT_CHARGE_H

#include "base/maps.h"
#include "packet/packet.h"
#include "portctl/counters.h"

/* The shared tallies; NULL if this line or key cannot be in them. */
static __always_inline struct counters *shared_counters(__u64 line, __u64 key)
{
	__u32 index = 0;

	return line < MAX_LINES && key < KEYS ? bpf_map_lookup_elem(&counters, &index) : NULL;
}

static __always_inline void tally_add(struct tally *sum, __u64 packets, __u64 bytes)
{
	__u64 before = __sync_fetch_and_add(&sum->packets, packets);

	/* The result is used, so the addition is a memory barrier on every architecture. */
	barrier_var(before);
	before = __sync_fetch_and_add(&sum->bytes, bytes);
	barrier_var(before);
}

/* Counts a packet on a CPU that has no counts of its own: it came online after attach. */
static __noinline int charge_shared(__u64 key, __u64 bytes, entry_t entry)
{
	__u64 line = entry_line(entry);
	struct counters *shared = shared_counters(line, key);

	if (!shared)
		return XDP_ABORTED;
	tally_add(&shared->line[line], 1, bytes);
	if (key < PORT_KEYS)
		tally_add(entry_verdict(entry) == VERDICT_PASS ? &shared->pass[key]
							       : &shared->drop[key],
			  1, bytes);
	return entry_verdict(entry);
}

/*
 * Adds a full count to the shared tally. It stays full until it is added: a reader who sees it
 * full, or sees that the tally changed meanwhile, reads again (user/kernel/counters.c).
 */
static __always_inline void flush_count(count_t *count, struct tally *sum)
{
	struct tally full = count_tally(*count);

	if (!(*count & COUNT_FULL))
		return;
	tally_add(sum, full.packets, full.bytes);
	*count = 0;
}

/* Flushes the counts of a line and a port that are full: once in 32,768 packets. */
static __noinline int flush_counts(__u64 key, entry_t entry)
{
	__u64 line = entry_line(entry);
	__u32 cpu = bpf_get_smp_processor_id();
	struct cpu_counters *own = bpf_map_lookup_elem(&cpu_counters, &cpu);
	struct counters *shared = shared_counters(line, key);

	if (!own || !shared)
		return XDP_ABORTED;
	flush_count(&own->line[line], &shared->line[line]);
	if (key < PORT_KEYS) {
		flush_count(&own->pass[key], &shared->pass[key]);
		flush_count(&own->drop[key], &shared->drop[key]);
	}
	return entry_verdict(entry);
}

/* The counts of this CPU; NULL if it came online after attach. */
static __always_inline struct cpu_counters *own_counters(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpu_counters, &cpu);
}

/*
 * Returns the new count. No atomic addition is needed: only this CPU writes its own counts, and
 * XDP does not interrupt itself on a CPU.
 */
static __always_inline count_t count(count_t *count, __u64 bytes)
{
	return *count += COUNT_PACKET + bytes;
}

/* `line_offset`: in bytes, as `entry & ENTRY_LINE` is; at most ENTRY_LINE_MAX. */
static __always_inline count_t count_line(struct cpu_counters *own, __u64 line_offset,
					  __u64 bytes)
{
	return count((void *)own->line + line_offset, bytes);
}

/*
 * `key` is below PORT_KEYS. The verdict chooses the array by its index, which needs no branch.
 */
static __always_inline count_t count_port(struct cpu_counters *own, __u64 key, __u64 entry,
					  __u64 bytes)
{
	__u64 array = (entry & ENTRY_PASS) * PORT_KEYS; /* 0: own->drop, PORT_KEYS: own->pass */

	barrier_var(array); /* Keep this an add: 6.1's verifier loses the bounds of an or. */
	return count(&own->drop[array + key], bytes);
}

/*
 * Counts a packet. Returns its entry; 0 (drop) if the line is out of range, which never
 * happens.
 */
static __always_inline entry_t charge(const struct packet *packet, entry_t entry)
{
	__u64 line_offset = entry & ENTRY_LINE, key = packet->key;
	count_t counts;

	barrier_var(line_offset);
	if (line_offset > ENTRY_LINE_MAX)
		return 0;
	if (unlikely(!packet->own)) {
		charge_shared(key, packet->bytes, entry);
		return entry;
	}
	counts = count_line(packet->own, line_offset, packet->bytes);
	if (key < PORT_KEYS)
		counts |= count_port(packet->own, key, entry, packet->bytes);
	if (unlikely(counts & COUNT_FULL))
		flush_counts(key, entry);
	return entry;
}

#endif
