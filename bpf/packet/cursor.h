/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a packet: a position, and the end up to which bytes can be read. */
#ifndef PACKET_CURSOR_H
#define PACKET_CURSOR_H

#include "base/kernel.h"

struct cursor {
	void *pos;
	void *end; /* of the first buffer: later ones cannot be read directly */
};

static __always_inline struct cursor cursor_at_start(struct xdp_md *ctx)
{
	return (struct cursor){
		.pos = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};
}

/* Proves to the verifier that an offset is small: no header begins further into a frame. */
#define OFFSET_MASK 0x7FFF

/*
 * A cursor at an offset from the start of the frame, for code that runs after the frame was
 * read or changed. Both pointers are loaded anew: otherwise clang keeps copies of their lower
 * halves across calls, and the verifier accepts no such copy as a pointer.
 */
static __always_inline struct cursor cursor_at(struct xdp_md *ctx, __u32 offset)
{
	struct cursor cur;

	asm volatile("%[pos] = *(u32 *)(%[ctx] + 0)\n"
		     "%[end] = *(u32 *)(%[ctx] + 4)"
		     : [pos] "=&r"(cur.pos), [end] "=&r"(cur.end)
		     : [ctx] "r"(ctx));
	cur.pos += offset & OFFSET_MASK;
	return cur;
}

/* Moves past the next `size` bytes; false if there are fewer. */
static __always_inline bool cursor_skip(struct cursor *cur, __u32 size)
{
	if (unlikely(cur->pos + size > cur->end))
		return false;
	cur->pos += size;
	return true;
}

/*
 * The same as bpf_ntohs(), with a bound that the verifier knows: Linux 6.1 knows none of a
 * number whose bytes were swapped.
 */
static __always_inline __u64 host_order(__be16 field)
{
	__u64 value = bpf_ntohs(field);

	barrier_var(value);
	return value & 0xFFFF;
}

#endif
