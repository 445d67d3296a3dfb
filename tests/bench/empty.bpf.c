// SPDX-License-Identifier: GPL-2.0-only
/* Empty programs, with which every figure is compared, and two to measure a call. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp.frags")
int empty(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

/* The empty program for packets that pass. */
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

/* calls() and no_calls() differ only in calling a function. */
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
