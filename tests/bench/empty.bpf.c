// SPDX-License-Identifier: GPL-2.0-only
/* Programs that do nothing: what every figure is compared with, and what a call takes. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp.frags")
int empty(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

/* The same, where what is measured are packets that pass. */
SEC("xdp.frags")
int empty_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	(void)skb;
	return 0;
}

/* What a call takes: these two differ in nothing else. */
const volatile __u32 call_count = 64;
volatile __u32 sink;

static __noinline int store(__u32 value)
{
	sink = value;
	return 0;
}

SEC("xdp")
int calls(struct xdp_md *ctx)
{
	(void)ctx;
	for (__u32 i = 0; i < call_count; i++)
		store(i);
	return XDP_DROP;
}

SEC("xdp")
int no_calls(struct xdp_md *ctx)
{
	(void)ctx;
	for (__u32 i = 0; i < call_count; i++)
		sink = i;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
