/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything the data path keeps. Userspace maps these into its memory (mmap). */
#ifndef BASE_MAPS_H
#define BASE_MAPS_H

#include "base/kernel.h"
#include "portctl/control.h"
#include "portctl/counters.h"
#include "portctl/detail.h"
#include "portctl/event.h"
#include "portctl/flow.h"
#include "portctl/generation.h"
#include "portctl/inquiry.h"
#include "portctl/knock.h"
#include "portctl/signed.h"
#include "portctl/source.h"

/*
 * The two generations of the table, and the number that says which of them is
 * active, are global data: their addresses are constants in the program, so
 * judging a packet is two loads and no call. Userspace writes the slot that is
 * not active, after every packet that could still hold it is done, and then
 * stores the new generation number. `control` is shared by all interfaces. What was
 * sampled is here as well, behind the table, for the same price.
 */
struct generation table[2];
struct sampling sampling;
volatile struct control control SEC(".data.control");

/*
 * Counters: words for each CPU, so that counting takes no lock and no shared cache line
 * (userspace sets how many before loading), and one tally of each for all. Arrays rather
 * than per-CPU maps: they can be read through mmap, and the lookup is a few
 * instructions in line on every kernel.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_counters);
} cpu_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

/*
 * What else hangs in a generation, by slot: what entries with a flag lead to,
 * and the sources. Their size is the ruleset's, so they are maps in maps.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct detail));
		});
} details SEC(".maps");

/* Mapped for userspace also for where that puts it: sets are cache lines. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct source_set));
		});
} sources SEC(".maps");

/* When the next packet is due: of each line's limit, and of sources by hash. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_LINES);
	__type(key, __u32);
	__type(value, __u64);
} buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SOURCE_BUCKETS);
	__type(key, __u32);
	__type(value, __u64);
} source_buckets SEC(".maps");

/*
 * Flows: written on the way out only (egress.h), so no packet from outside
 * can make an entry, and shared by all interfaces, since a reply need not come
 * in where the question went out. An array of our own sets and not a hash map: no
 * call, and places whose flows have ended need nobody to clear them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FLOW_SETS);
	__type(key, __u32);
	__type(value, struct flow_set);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FLOW_ENDS);
	__type(key, __u32);
	__type(value, __u64);
} flow_ends SEC(".maps");

/* TCP conversations for which a socket was found within the last second, by tag. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FLOW_SETS);
	__type(key, __u32);
	__type(value, struct flow);
} sockets SEC(".maps");

/* Knocking, shared by all interfaces: what was knocked so far, and who is let in. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ATTEMPT_SETS);
	__type(key, __u32);
	__type(value, struct attempts);
} attempts SEC(".maps");

/* By the door's number less one; written by "portctl knock serve". */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_DOORS);
	__type(key, __u32);
	__type(value, struct windows);
} windows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_GRANTS);
	__type(key, struct grant_key);
	__type(value, struct grant);
} grants SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_LOCKOUTS);
	__type(key, struct lockout_key);
	__type(value, struct lockout);
} lockouts SEC(".maps");

/*
 * Who may sign; and by their numbers the time of their last knock, which stays for a
 * while where they may no longer: there is room for more of those.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * MAX_SIGNERS);
	__type(key, struct signer_key);
	__type(value, struct signer);
} signers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * MAX_SIGNERS);
	__type(key, __be32);
	__type(value, __u64);
} last_signed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_DOORS);
	__type(key, __u32);
	__type(value, struct door_counts);
} door_counts SEC(".maps");

/* What happens, for those who watch: a ring buffer for each, made by whoever reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MONITORS);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_RINGBUF);
			__uint(max_entries, 4096);
		});
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EVENT_KINDS);
	__type(key, __u32);
	__type(value, struct event_count);
} event_counts SEC(".maps");

/* Only where a capture is replayed. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BATCH_FRAMES);
	__type(key, __u32);
	__type(value, struct captured_frame);
} batch SEC(".maps");

/* Flows are timed in ticks (jiffies), which are read without a call. */
const volatile __u64 ticks_per_second;

/* enum purpose. The verifier knows it, and leaves out what is for the others. */
const volatile __u32 purpose;

volatile struct inquiry inquiry SEC(".data.inquiry");

#endif
