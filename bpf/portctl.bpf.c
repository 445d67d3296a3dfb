// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a packet: parse finds its key, judge the entry for that key, and
 * charge counts it and returns the verdict. Only reject writes to the packet.
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "blake2s.h"
#include "portctl.h"
#include "source_tag.h"
#include "tally.h"

#include "maps.h"
#include "clock.h"
#include "packet.h"
#include "parse.h"
#include "flow.h"
#include "subject.h"
#include "source.h"
#include "limit.h"
#include "event.h"
#include "reply.h"
#include "grant.h"
#include "knock.h"
#include "signed.h"
#include "judge.h"
#include "charge.h"
#include "reject.h"
#include "egress.h"
#include "replay.h"

/* frags: frames in several buffers (jumbo MTU) are judged as well. */
SEC("xdp.frags")
int portctl(struct xdp_md *ctx)
{
	struct packet packet;
	entry_t entry;
	int verdict;

	parse(ctx, &packet);
	entry = judge(ctx, &packet);
	verdict = charge(&packet, entry);
	/* The second is one branch for both: a drop that nobody watches. */
	if (verdict == VERDICT_PASS || likely(!((verdict ^ VERDICT_DROP) | control.watchers)))
		return verdict;
	if (is_watched() && !is_sampled(&packet))
		tell_drop(ctx, packet.place, packet.key, entry);
	return likely(verdict != VERDICT_REJECT) ? verdict
						 : reject(ctx, packet.place, packet.key);
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
