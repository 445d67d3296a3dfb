// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a packet: parse finds its key, judge the entry for that key, and charge
 * counts it; then the verdict is returned. Nearly all take a short cut, plain. Only
 * reject writes to the packet.
 */
#include "path/egress.h"
#include "path/fast_path.h"
#include "path/replay.h"
#include "path/slow_path.h"

/* frags: frames in several buffers (jumbo MTU) are judged as well. */
SEC("xdp.frags")
int portctl(struct xdp_md *ctx)
{
	/* First: it is a call to the compiler, and no register need be kept over it. */
	struct cpu_counters *own = own_counters();
	struct packet packet;

	if (plain_packet(ctx, own, &packet) == NOT_PLAIN) {
		packet.own = own;
		parse(ctx, &packet);
	}
	in_memory(packet);
	return long_way(ctx, &packet);
}

/*
 * The same way up to the verdict, with no effect (PURPOSE_EXPLAIN). It is run for a
 * packet that somebody asks about, and returns the entry that decides.
 */
SEC("?xdp")
int explain(struct xdp_md *ctx)
{
	struct packet packet;

	parse(ctx, &packet);
	return judge(ctx, &packet);
}

/* Judges and counts the frames of a batch (PURPOSE_REPLAY). Returns how many it was. */
SEC("?xdp.frags")
int replay(struct xdp_md *ctx)
{
	struct replaying replaying = { .ctx = ctx };

	bpf_loop(inquiry.count, replay_next, &replaying, 0);
	return replaying.count;
}

/* Some helpers may only be called by GPL programs. */
char LICENSE[] SEC("license") = "GPL";
