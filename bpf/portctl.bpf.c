// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a packet:
 *
 *   parse    packet/parse.h     finds its key: protocol and port, or what kind of packet it is
 *   judge    verdict/judge.h    loads the key's entry from the table: verdict, line, flags. If
 *                               the entry has flags, it looks at the packet's source, at limits,
 *                               doors, and conversations that this host began
 *   charge   verdict/charge.h   counts the packet at its line and its port
 *   return   XDP_PASS or XDP_DROP; or XDP_TX: verdict/reject.h made the packet its own answer
 *
 * Nearly all packets are plain TCP or UDP to a port whose entry has no flags. They take the
 * fast path: the same four steps, each in a short form (packet/parse_fast.h,
 * path/fast_path.h). All others take the slow path (path/slow_path.h).
 *
 * Outgoing packets meet the program `egress` (path/egress.h), which remembers conversations.
 */
#include "base/kernel.h"
#include "packet/parse.h"
#include "packet/parse_fast.h"
#include "path/egress.h"
#include "path/fast_path.h"
#include "path/replay.h"
#include "path/slow_path.h"

/* "frags": frames in several buffers (jumbo MTU) are judged as well. */
SEC("xdp.frags")
int portctl(struct xdp_md *ctx)
{
	/* First: clang keeps no register across this call, so the fast path saves none. */
	struct cpu_counters *own = own_counters();
	struct packet packet = { .own = own }, slow;
	entry_t entry;

	if (likely(own) && likely(parse_fast(ctx, &packet))) {
		entry = judge_fast(&packet);
		if (likely(entry <= ENTRY_FINAL_MAX)) {
			if (unlikely(charge_fast(&packet, entry)))
				return slow_exit(ctx, packet.offsets, packet.key, entry);
			return entry_verdict(entry);
		}
		slow = packet;
	} else {
		slow.own = own;
		parse(ctx, &slow);
	}
	in_memory(slow);
	return slow_path(ctx, &slow);
}

/*
 * PURPOSE_EXPLAIN: judges a packet without any effect, for `portctl explain`. Returns the entry
 * that decides.
 */
SEC("?xdp")
int explain(struct xdp_md *ctx)
{
	struct packet packet;

	parse(ctx, &packet);
	return judge(ctx, &packet);
}

/* PURPOSE_REPLAY: judges and counts the frames of a batch. Returns how many it judged. */
SEC("?xdp.frags")
int replay(struct xdp_md *ctx)
{
	struct replaying replaying = { .ctx = ctx };

	bpf_loop(inquiry.count, replay_next, &replaying, 0);
	return replaying.count;
}

/* Some helper functions may only be called by GPL programs. */
char LICENSE[] SEC("license") = "GPL";
