// SPDX-License-Identifier: GPL-2.0-only
/* bpf/packet/parse.h for this machine, apart from everything that has types of its own. */
#include "native.h"

/* Whether the short cut says the same, if it knows the packet. */
static bool is_the_same(struct xdp_md *ctx, const struct packet *packet)
{
	struct packet plain;

	if (!*table[0].entries)
		__builtin_memset(table, 0xFF, sizeof(table));
	switch (plain_packet(ctx, &words, &plain)) {
	case NOT_PLAIN:
		return true;
	case NOT_PLAIN_PORT:
		return plain.key == packet->key && plain.bytes == packet->bytes &&
		       plain.place == packet->place && !plain.may_reply == !packet->may_reply;
	}
	return false;
}

/* The frame is from `start` to `end`, both below 4 GiB. KEYS where two ways disagree. */
__u64 native_key(unsigned long start, unsigned long end);

__u64 native_key(unsigned long start, unsigned long end)
{
	struct xdp_md ctx = { .data = start, .data_end = end };
	struct packet packet;

	parse(&ctx, &packet);
	return is_the_same(&ctx, &packet) ? packet.key : KEYS;
}
