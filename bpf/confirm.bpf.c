// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way back from a change that nobody confirms: a timer of the kernel, so it
 * fires also when every portctl process is dead and the terminal is gone. It
 * lives as long as the map it is in is pinned.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "portctl/control.h"

#define CLOCK_BOOTTIME 7

volatile struct control control SEC(".data.control");

struct way_back {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct way_back);
} way_back SEC(".maps");

/* Whoever takes `pending` away decides: here it means going back. */
static int go_back(void *map, __u32 *key, struct way_back *value)
{
	__u32 pending = control.pending;

	(void)map;
	(void)key;
	(void)value;
	if (!pending || pending != control.generation ||
	    __sync_val_compare_and_swap(&control.pending, pending, 0) != pending)
		return 0;
	control.generation = pending + 1;
	control.rolled_back++;
	return 0;
}

/* Run once by userspace (BPF_PROG_TEST_RUN), for control.deadline. */
SEC("tc")
int start_timer(struct __sk_buff *skb)
{
	__u64 now = bpf_ktime_get_boot_ns();
	__u64 deadline = control.deadline;
	__u32 zero = 0;
	struct way_back *value = bpf_map_lookup_elem(&way_back, &zero);

	(void)skb;
	if (!value)
		return 1;
	bpf_timer_init(&value->timer, &way_back, CLOCK_BOOTTIME); /* again is no harm */
	if (bpf_timer_set_callback(&value->timer, go_back))
		return 1;
	return bpf_timer_start(&value->timer, deadline > now ? deadline - now : 1, 0) != 0;
}

char LICENSE[] SEC("license") = "GPL";
