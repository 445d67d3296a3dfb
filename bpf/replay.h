/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay: the frames of a capture, many in one run. A run takes the kernel ten times as
 * long as a frame takes the data path.
 */
#ifndef REPLAY_H
#define REPLAY_H

/* Nobody waits for an answer. Not static: the verifier checks it once, for both callers. */
__noinline int replay_frame(struct xdp_md *ctx)
{
	struct packet packet;

	parse(ctx, &packet);
	return charge(&packet, judge(ctx, &packet));
}

struct replaying {
	struct xdp_md *ctx;
	__u32 count; /* of frames that were judged */
	__u32 zero;
};

/* Puts the next frame in place of the one before; bpf_loop() calls this for each. */
static long replay_next(__u32 index, struct replaying *replaying)
{
	const struct captured_frame *frame = bpf_map_lookup_elem(&batch, &index);
	struct xdp_md *ctx = replaying->ctx;
	__u64 size;

	if (!frame)
		return 1;
	size = frame->size;
	barrier_var(size);
	if (size < sizeof(struct ethhdr) || size > sizeof(frame->data))
		return 1;
	if (bpf_xdp_adjust_tail(ctx, size - bpf_xdp_get_buff_len(ctx)) ||
	    bpf_xdp_store_bytes(ctx, 0, (void *)frame->data, size))
		return 1;
	inquiry.now = frame->now;
	replay_frame(ctx);
	replaying->count++;
	return 0;
}

static __always_inline int replay_batch(struct xdp_md *ctx)
{
	struct replaying replaying = { .ctx = ctx };

	bpf_loop(inquiry.count, replay_next, &replaying, 0);
	return replaying.count;
}

#endif
