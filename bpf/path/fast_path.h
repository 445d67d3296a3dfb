/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast path: judge and count packets whose entry is final, which nearly all are. It never
 * decides otherwise than the slow path; tests/bpf/test_packets.c and tests/fuzz/differential.c
 * compare the two. Both functions are for packets that parse_fast() accepted.
 */
#ifndef PATH_FAST_PATH_H
#define PATH_FAST_PATH_H

#include "base/maps.h"
#include "packet/packet.h"
#include "path/slow_path.h"
#include "verdict/charge.h"

/* The entry that decides; above ENTRY_FINAL_MAX if the slow path has to find it. */
static __always_inline entry_t judge_fast(const struct packet *packet)
{
	entry_t entry = table[control.generation & 1].entries[packet->key];

	if (likely(entry <= ENTRY_FINAL_MAX))
		return entry;
	/*
	 * Under default drop, a shut port has this entry. It lets replies pass, but no SYN is a
	 * reply.
	 */
	if (entry == entry_make(VERDICT_DROP, ENTRY_REPLY, LINE_DEFAULT_DROP) &&
	    !packet->may_reply)
		return entry_final(entry);
	return entry;
}

/* Counts a packet at its final entry. Returns whether slow_exit() has something to do. */
static __always_inline bool charge_fast(const struct packet *packet, entry_t entry)
{
	count_t counts = count_line(packet->own, entry & ENTRY_LINE, packet->bytes);

	counts |= count_port(packet->own, packet->key, entry, packet->bytes);
	return counts & COUNT_FULL || (!(entry & ENTRY_PASS) && may_be_sampled(packet->key));
}

#endif
