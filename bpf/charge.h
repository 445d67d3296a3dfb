/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * charge: the one exit. Each packet is charged to exactly one line and, if it
 * has a port, to exactly one port counter, so the lines always add up to the
 * packets seen.
 */
#ifndef CHARGE_H
#define CHARGE_H

static __always_inline void count(struct tally *tally, __u64 bytes, bool shared)
{
	if (shared) {
		__sync_fetch_and_add(&tally->packets, 1);
		__sync_fetch_and_add(&tally->bytes, bytes);
	} else {
		tally->packets++;
		tally->bytes += bytes;
	}
}

static __always_inline int charge_copy(struct counters *copy, __u64 key, __u64 bytes,
				       entry_t entry, bool shared)
{
	__u64 line = entry_line(entry);

	barrier_var(line);
	if (unlikely(line >= MAX_LINES))
		return XDP_ABORTED; /* never; the verifier wants it proven */
	count(&copy->line[line], bytes, shared);
	if (key < PORT_KEYS) {
		if (entry_verdict(entry) == VERDICT_PASS)
			count(&copy->pass[key], bytes, shared);
		else
			count(&copy->drop[key], bytes, shared);
	}
	return entry_verdict(entry);
}

/* For CPUs that came online after the copies were made. Off the plain way. */
static __noinline int charge_shared(__u64 key, __u64 bytes, entry_t entry)
{
	__u32 index = COPY_SHARED;
	struct counters *copy = bpf_map_lookup_elem(&counters, &index);

	if (!copy || key >= KEYS)
		return XDP_ABORTED;
	return charge_copy(copy, key, bytes, entry, true);
}

/*
 * Only this CPU writes its own copy, and XDP is not re-entered on a CPU, so
 * plain additions lose nothing.
 */
static __always_inline int charge(const struct packet *packet, entry_t entry)
{
	__u32 index = COPY_FIRST_CPU + bpf_get_smp_processor_id();
	struct counters *copy = bpf_map_lookup_elem(&counters, &index);

	if (unlikely(!copy))
		return charge_shared(packet->key, packet->bytes, entry);
	return charge_copy(copy, packet->key, packet->bytes, entry, false);
}

#endif
