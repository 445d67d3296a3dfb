// SPDX-License-Identifier: GPL-2.0-only
/* The parsers, in a file of their own: their types differ from those of the C library. */
#include "native.h"

/* Whether the fast parser agrees with the other one, or leaves the packet to it. */
static bool is_the_same(struct xdp_md *ctx, const struct packet *packet)
{
	struct packet fast;

	if (!parse_fast(ctx, &fast))
		return true;
	return fast.key == packet->key && fast.bytes == packet->bytes &&
	       fast.offsets == packet->offsets && !fast.may_reply == !packet->may_reply;
}

/*
 * The key of the frame from `start` to `end`, both below 4 GiB; KEYS if the two parsers
 * disagree about it.
 */
__u64 native_key(unsigned long start, unsigned long end);

__u64 native_key(unsigned long start, unsigned long end)
{
	struct xdp_md ctx = { .data = start, .data_end = end };
	struct packet packet;

	parse(&ctx, &packet);
	return is_the_same(&ctx, &packet) ? packet.key : KEYS;
}
