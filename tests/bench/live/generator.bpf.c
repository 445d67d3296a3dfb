// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generates the frames of a flood: run with live frames (BPF_F_TEST_XDP_LIVE_FRAMES), it sets
 * the port and the source of each frame and sends the frame out of its ingress device. The
 * kernel reuses the frames' memory, so each field that varies is written every time.
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

volatile __u32 seed = 1;
volatile __u32 l4_offset; /* byte offset of the TCP or UDP header */
volatile __u32 ports; /* number of random ports, from 1 on; 0: keep the frame's */
volatile __u32 sources; /* number of random sources, from 10.0.0.1 on; 0: keep the frame's */
volatile __u32 tagged; /* write the head anew, because receivers remove its tag in place */
__u8 head[18]; /* Ethernet header and one VLAN tag */
volatile __u32 header_sum; /* sum over the IPv4 header without checksum and source */

/* A random number below `below` (xorshift). */
static __always_inline __u32 chance(__u32 below)
{
	__u32 x = seed;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	seed = x;
	return (__u64)x * below >> 32;
}

static __always_inline int set_port(void *data, void *end)
{
	__u32 offset = l4_offset;
	__be16 *port;

	if (offset > 64)
		return -1;
	port = data + offset + 2;
	if ((void *)(port + 1) > end)
		return -1;
	*port = bpf_htons(1 + chance(ports));
	return 0;
}

static __always_inline int set_source(void *data, void *end)
{
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u32 sum;

	if ((void *)(ip + 1) > end)
		return -1;
	ip->saddr = bpf_htonl((10u << 24) + 1 + chance(sources));
	sum = header_sum + (ip->saddr & 0xffff) + (ip->saddr >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~sum;
	return 0;
}

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (tagged) {
		if (data + sizeof(head) > end)
			return XDP_ABORTED;
		__builtin_memcpy(data, head, sizeof(head));
	}
	if (ports && set_port(data, end))
		return XDP_ABORTED;
	if (sources && set_source(data, end))
		return XDP_ABORTED;
	return XDP_TX;
}

char LICENSE[] SEC("license") = "GPL";
