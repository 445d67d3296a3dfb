/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replay: the frames of a capture, many in one run of the program. The kernel takes ten times
 * as long for a run as the data path takes for a frame.
 */
#ifndef PATH_REPLAY_H
#define PATH_REPLAY_H

#include "base/maps.h"
#include "packet/packet.h"
#include "packet/parse.h"
#include "verdict/charge.h"
#include "verdict/judge.h"

struct replaying {
	struct xdp_md *ctx;
	__u32 count; /* of frames that were judged */
	__u32 zero;
};

/* Replaces the current frame by another one. */
static __always_inline bool put_frame(struct xdp_md *ctx, const struct captured_frame *frame)
{
	__u64 size = frame->size;

	barrier_var(size);
	if (size < sizeof(struct ethhdr) || size > sizeof(frame->data))
		return false;
	return !bpf_xdp_adjust_tail(ctx, size - bpf_xdp_get_buff_len(ctx)) &&
	       !bpf_xdp_store_bytes(ctx, 0, (void *)frame->data, size);
}

/* Judges and counts the next frame of the batch; bpf_loop() calls it. Returns 1 to end. */
static long replay_next(__u32 index, struct replaying *replaying)
{
	const struct captured_frame *frame = bpf_map_lookup_elem(&batch, &index);
	struct xdp_md *ctx = replaying->ctx;
	struct packet packet;
	entry_t entry;

	if (!frame || (frame->size && !put_frame(ctx, frame)))
		return 1;
	inquiry.now = frame->now;
	parse(ctx, &packet);
	entry = judge(ctx, &packet);
	/*
	 * After judge(): to keep the pointer across that call takes stack, and Linux 6.1 has
	 * none left.
	 */
	packet.own = own_counters();
	charge(&packet, entry);
	replaying->count++;
	return 0;
}

#endif
