/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters: what each CPU counts by itself, and the tallies that all CPUs share. The sum of
 * both is what was counted (user/kernel/counters.c).
 */
#ifndef PORTCTL_COUNTERS_H
#define PORTCTL_COUNTERS_H

#include "portctl/entry.h"
#include "portctl/key.h"
#include "portctl/types.h"

/* Packets, and the bytes of their frames as XDP sees them. */
struct tally {
	__u64 packets;
	__u64 bytes;
};

/*
 * A tally in 64 bits, in which a CPU counts:
 *
 *   63  62            48 47                                      0
 *  +---+----------------+-----------------------------------------+
 *  | F |    packets     |                  bytes                  |
 *  +---+----------------+-----------------------------------------+
 *
 * One addition counts a packet and its bytes, and a flood to all ports touches half as many
 * cache lines as with struct tally. F is the topmost bit of the packets: the 32,768th packet
 * sets it. Then the CPU adds the count to the shared tally and sets it to 0
 * (bpf/verdict/charge.h).
 */
typedef __u64 count_t;

#define COUNT_PACKET_SHIFT 48
#define COUNT_PACKET (1ull << COUNT_PACKET_SHIFT)
#define COUNT_FULL (1ull << 63)

static inline struct tally count_tally(count_t count)
{
	return (struct tally){ count >> COUNT_PACKET_SHIFT, count & (COUNT_PACKET - 1) };
}

/*
 * A move of counts from the line of a deleted rule to a line that keeps them; `sum` is what
 * `to` has afterwards. Only the command writes it. `from` is not 0 while a move is under way.
 */
struct line_move {
	__u32 from;
	__u32 to;
	struct tally sum;
};

/*
 * The shared tallies, changed by atomic additions: full counts of all CPUs, what CPUs count
 * that were not online when cpu_counters was made, and what the command itself moves.
 */
struct counters {
	struct tally pass[PORT_KEYS];
	struct tally drop[PORT_KEYS];
	struct tally line[MAX_LINES];
	struct line_move move;
};

/*
 * The counts of one CPU. Passed and dropped packets are in separate arrays: a flood mostly
 * meets one verdict at all ports, and then touches half as many cache lines.
 */
struct cpu_counters {
	count_t line[MAX_LINES]; /* first: lines are counted most, at the smallest offsets */
	count_t drop[PORT_KEYS];
	count_t pass[PORT_KEYS]; /* right behind `drop`: drop[PORT_KEYS + key] is pass[key] */
};

_Static_assert(sizeof(struct tally) == 16, "struct tally");
_Static_assert(sizeof(struct line_move) == 24, "struct line_move");
_Static_assert(sizeof(struct counters) == 2 * 16 * PORT_KEYS + 16 * MAX_LINES + 24,
	       "struct counters");
_Static_assert(sizeof(count_t) == 1 << ENTRY_LINE_SHIFT,
	       "the line field of an entry is the byte offset of the line's count");
_Static_assert(__builtin_offsetof(struct cpu_counters, pass) ==
		       __builtin_offsetof(struct cpu_counters, drop[PORT_KEYS]),
	       "passed counts are right behind dropped ones");
_Static_assert(sizeof(struct cpu_counters) == 8 * (2 * PORT_KEYS + MAX_LINES),
	       "struct cpu_counters");

#endif
