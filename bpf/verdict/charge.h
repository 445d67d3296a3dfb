/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * charge: before its verdict each packet is charged to exactly one line and, if it
 * has a port, to exactly one port counter, so the lines always add up to the
 * packets seen.
 */
#ifndef VERDICT_CHARGE_H
#define VERDICT_CHARGE_H

#include "base/maps.h"
#include "packet/packet.h"
#include "portctl/counters.h"

/* Those of all CPUs, if this line and this key can have any. */
static __always_inline struct counters *shared_counters(__u64 line, __u64 key)
{
	__u32 index = 0;

	return line < MAX_LINES && key < KEYS ? bpf_map_lookup_elem(&counters, &index) : NULL;
}

static __always_inline void add(struct tally *sum, __u64 packets, __u64 bytes)
{
	__u64 before = __sync_fetch_and_add(&sum->packets, packets);

	/* An addition whose result is used is a barrier as well, on any machine. */
	barrier_var(before);
	before = __sync_fetch_and_add(&sum->bytes, bytes);
	barrier_var(before);
}

/* For CPUs that came online after words were made for each. */
static __noinline int charge_shared(__u64 key, __u64 bytes, entry_t entry)
{
	__u64 line = entry_line(entry);
	struct counters *shared = shared_counters(line, key);

	if (!shared)
		return XDP_ABORTED;
	add(&shared->line[line], 1, bytes);
	if (key < PORT_KEYS)
		add(entry_verdict(entry) == VERDICT_PASS ? &shared->pass[key]
							 : &shared->drop[key],
		    1, bytes);
	return entry_verdict(entry);
}

/*
 * Adds a word that is full to the sum. It stays so until it is added: a reader who sees
 * it full, or another sum afterwards than before, reads again (user/kernel/counters.c).
 */
static __always_inline void carry_count(count_t *count, struct tally *sum)
{
	struct tally full = count_tally(*count);

	if (!(*count & COUNT_FULL))
		return;
	add(sum, full.packets, full.bytes);
	*count = 0;
}

/* Once in 32,768 packets. */
static __noinline int carry(__u64 key, entry_t entry)
{
	__u64 line = entry_line(entry);
	__u32 cpu = bpf_get_smp_processor_id();
	struct cpu_counters *own = bpf_map_lookup_elem(&cpu_counters, &cpu);
	struct counters *shared = shared_counters(line, key);

	if (!own || !shared)
		return XDP_ABORTED;
	carry_count(&own->line[line], &shared->line[line]);
	if (key < PORT_KEYS) {
		carry_count(&own->pass[key], &shared->pass[key]);
		carry_count(&own->drop[key], &shared->drop[key]);
	}
	return entry_verdict(entry);
}

static __always_inline struct cpu_counters *own_counters(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpu_counters, &cpu);
}

/*
 * Only this CPU writes its own words, and XDP is not re-entered on a CPU, so
 * plain additions lose nothing.
 */
static __always_inline count_t count(count_t *count, __u64 bytes)
{
	return *count += COUNT_PACKET + bytes;
}

/* At the line whose word is so many bytes behind the first. Returns what it is now. */
static __always_inline count_t count_line(struct cpu_counters *own, __u64 line, __u64 bytes)
{
	return count((void *)own->line + line, bytes);
}

/*
 * At the port whose word is so many bytes behind the first one's. What passes and what is
 * dropped differ in where the word is, and not in the way they go: no jump is paid for, or
 * foretold wrongly.
 */
static __always_inline count_t count_port(struct cpu_counters *own, __u64 port, __u64 entry,
					  __u64 bytes)
{
	__u64 word = (entry & ENTRY_PASS) * sizeof(own->drop);

	if (!__builtin_constant_p(word))
		barrier_var(word); /* or it were "or"ed; Linux 6.1 knows no bounds of that */
	return count((void *)own->drop + word + port, bytes);
}

/* Returns COUNT_FULL if a word is. */
static __always_inline count_t count_own(struct cpu_counters *own, __u64 line, __u64 key,
					 __u64 entry, __u64 bytes)
{
	count_t either = count_line(own, line, bytes);

	if (key < PORT_KEYS)
		either |= count_port(own, key * sizeof(count_t), entry, bytes);
	return either & COUNT_FULL;
}

/* Returns the entry, or 0, which is dropped, if its line is none. */
static __always_inline entry_t charge(const struct packet *packet, entry_t entry)
{
	__u64 line = entry & ENTRY_LINE, key = packet->key;

	barrier_var(line);
	if (line > ENTRY_LINE_MAX)
		return 0; /* never; the verifier wants it proven */
	if (unlikely(!packet->own))
		charge_shared(key, packet->bytes, entry);
	else if (unlikely(count_own(packet->own, line, key, entry, packet->bytes)))
		carry(key, entry);
	return entry;
}

#endif
