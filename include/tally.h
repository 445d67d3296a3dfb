/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters: what each CPU counts in, and what all of them share. */
#ifndef TALLY_H
#define TALLY_H

#include "portctl.h"

/* Packets and the bytes of their frames, as XDP sees them. */
struct tally {
	__u64 packets;
	__u64 bytes;
};

/*
 * The same in one word, which is what a CPU counts in: two writes less a packet, and half
 * as many cache lines where a flood meets all ports. Bytes are in the lower 48 bits and
 * packets above them. The topmost bit is set by the 32,768th packet: then it is full, and
 * the CPU adds it to the tally of all of them and begins anew, bpf/charge.h.
 */
typedef __u64 count_t;

#define COUNT_PACKET (1ull << 48)
#define COUNT_FULL (1ull << 63)

static inline struct tally count_tally(count_t count)
{
	return (struct tally){ count / COUNT_PACKET, count % COUNT_PACKET };
}

/*
 * A move of counts from a line whose rule is gone to a line that keeps them:
 * `sum` is what `to` will have. Written by userspace only; `from` is 0 but while a move
 * is under way.
 */
struct line_move {
	__u32 from;
	__u32 to;
	struct tally sum;
};

/*
 * What all CPUs have counted but for what is in their words (user/kernel/counters.c adds those
 * up): what was carried from them, what CPUs count that came online later and have none,
 * and what userspace itself keeps. CPUs share it, by atomic additions.
 */
struct counters {
	struct tally pass[PORT_KEYS];
	struct tally drop[PORT_KEYS];
	struct tally line[MAX_LINES];
	struct line_move move;
};

/*
 * A CPU's own. What was passed and what was dropped are apart: a flood mostly meets one
 * of the two at all ports, and so half as many cache lines.
 */
struct cpu_counters {
	count_t line[MAX_LINES]; /* first: what is at the beginning is found sooner */
	count_t drop[PORT_KEYS];
	count_t pass[PORT_KEYS]; /* behind those: one index finds either (bpf/charge.h) */
};

_Static_assert(sizeof(struct tally) == 16, "struct tally");
_Static_assert(sizeof(struct line_move) == 24, "struct line_move");
_Static_assert(sizeof(struct counters) == 2 * 16 * PORT_KEYS + 16 * MAX_LINES + 24,
	       "struct counters");
_Static_assert(__builtin_offsetof(struct cpu_counters, pass) ==
		       __builtin_offsetof(struct cpu_counters, drop[PORT_KEYS]),
	       "passed counts are behind dropped ones");
_Static_assert(sizeof(struct cpu_counters) == 8 * (2 * PORT_KEYS + MAX_LINES),
	       "struct cpu_counters");

#endif
