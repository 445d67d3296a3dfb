/* SPDX-License-Identifier: GPL-2.0-only */
/* All maps of the data path. The command maps most of them into its memory (mmap). */
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
 * The two slots of the table, and the number that says which one is active, are global data.
 * Their addresses are constants in the program, so judging a packet takes two loads and no
 * call. The command waits until no packet uses the inactive slot, writes it, and then stores
 * the new generation number. `control` is shared by all interfaces. `sampling` is global data
 * for the same reason as the table.
 */
struct generation table[2];
struct sampling sampling;
volatile struct control control SEC(".data.control");

/*
 * Counters. Each CPU has an element of cpu_counters, so that counting takes no lock and shares
 * no cache line; the command sets the number of elements before it loads the program.
 * `counters` is shared. Both are arrays and not per-CPU maps: arrays can be mapped into
 * memory, and the kernel looks them up without a call.
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
 * The details and sources of a generation, by slot. They are maps in maps, since each ruleset
 * needs another size.
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

/* BPF_F_MMAPABLE also aligns it to a page, so that each set is one cache line. */
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

/* The token bucket of each limit (base/bucket.h), by line. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_LINES);
	__type(key, __u32);
	__type(value, __u64);
} buckets SEC(".maps");

/* The token buckets of limits per source, by a hash (verdict/limit.h). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SOURCE_BUCKETS);
	__type(key, __u32);
	__type(value, __u64);
} source_buckets SEC(".maps");

/*
 * Flows. Only the program on outgoing packets writes them, so no packet from outside can
 * create one. All interfaces share them, since a reply can arrive at another interface than
 * the one its request left by. An array of sets and not a hash map: it is read without a call,
 * and slots of ended flows are reused without being cleared.
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

/* TCP conversations for which a local socket was found within the last second, by tag. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FLOW_SETS);
	__type(key, __u32);
	__type(value, struct flow);
} sockets SEC(".maps");

/* Knocks, shared by all interfaces: attempts so far, grants, lockouts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ATTEMPT_SETS);
	__type(key, __u32);
	__type(value, struct attempts);
} attempts SEC(".maps");

/* The sequences of timed doors, by door - 1. "portctl knock serve" writes them. */
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
 * Keys that may sign, and by their numbers the time of their last knock. That time is kept for
 * a while after the key was removed, so last_signed has more elements.
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

/* A ring buffer for each monitor. The monitor makes it and puts it here. */
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

/* The frames of a capture, for the program `replay` only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BATCH_FRAMES);
	__type(key, __u32);
	__type(value, struct captured_frame);
} batch SEC(".maps");

/* Flows are timed in ticks (jiffies), which are read without a call; set before loading. */
const volatile __u64 ticks_per_second;

/* enum purpose; set before loading. The verifier removes code for other purposes. */
const volatile __u32 purpose;

volatile struct inquiry inquiry SEC(".data.inquiry");

#endif
