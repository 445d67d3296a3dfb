// SPDX-License-Identifier: GPL-2.0-only
/*
 * Going back from a change that is not confirmed. A timer in the kernel does it, so it works
 * although every portctl process has ended and the terminal is gone. The timer exists as long as
 * the map that holds it is pinned.
 */
#include "base/kernel.h"

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

/* The timer's callback: goes back, unless the command has cleared `pending` before. */
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

/* Starts the timer for control.deadline. The command runs it once (BPF_PROG_TEST_RUN). */
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
	/* Fails harmlessly if the timer was initialised before. */
	bpf_timer_init(&value->timer, &way_back, CLOCK_BOOTTIME);
	if (bpf_timer_set_callback(&value->timer, go_back))
		return 1;
	return bpf_timer_start(&value->timer, deadline > now ? deadline - now : 1, 0) != 0;
}

char LICENSE[] SEC("license") = "GPL";
