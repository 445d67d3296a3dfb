// SPDX-License-Identifier: GPL-2.0-only
/* bpf/parse.h for this machine, apart from everything that has types of its own. */
#include "native.h"

/* The frame is from `start` to `end`, both below 4 GiB. */
__u64 native_key(unsigned long start, unsigned long end);

__u64 native_key(unsigned long start, unsigned long end)
{
	struct xdp_md ctx = { .data = start, .data_end = end };
	struct packet packet;

	parse(&ctx, &packet);
	return packet.key;
}
