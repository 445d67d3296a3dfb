// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/needs.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "base/array.h"

static const struct {
	enum bpf_prog_type program;
	int helper; /* 0: the type of program itself */
	const char *name;
} programs[] = {
	{ BPF_PROG_TYPE_XDP, 0, "XDP programs (CONFIG_BPF_SYSCALL)" },
	{ BPF_PROG_TYPE_SCHED_CLS, 0, "TC programs (CONFIG_NET_CLS_BPF)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_skc_lookup_tcp,
	  "the look-up of sockets in XDP (CONFIG_INET, Linux 5.2)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_jiffies64, "its ticks for programs (Linux 5.5)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_boot_ns,
	  "the time since boot for programs (Linux 5.8)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_for_each_map_elem, "loops over maps (Linux 5.13)" },
	{ BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_timer_init, "timers of programs (Linux 5.15)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_loop, "loops that are checked once (Linux 5.17)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes,
	  "XDP with frames in several buffers (Linux 5.18)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_tai_ns,
	  "the time of day for programs (Linux 6.1)" },
};

static const struct {
	enum bpf_map_type map;
	const char *name;
} maps[] = {
	{ BPF_MAP_TYPE_ARRAY_OF_MAPS, "maps in maps (ARRAY_OF_MAPS, Linux 4.12)" },
	{ BPF_MAP_TYPE_LRU_HASH, "maps that forget (LRU_HASH, Linux 4.10)" },
	{ BPF_MAP_TYPE_RINGBUF, "ring buffers (RINGBUF, Linux 5.8)" },
};

static int probe_program(enum bpf_prog_type program, int helper)
{
	return helper ? libbpf_probe_bpf_helper(program, helper, NULL)
		      : libbpf_probe_bpf_prog_type(program, NULL);
}

const char *missing_feature(void)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	const char *missing = NULL;

	/* Less than 0: it cannot be told. */
	for (size_t i = 0; i < ARRAY_SIZE(programs) && !missing; i++) {
		if (!probe_program(programs[i].program, programs[i].helper))
			missing = programs[i].name;
	}
	for (size_t i = 0; i < ARRAY_SIZE(maps) && !missing; i++) {
		if (!libbpf_probe_bpf_map_type(maps[i].map, NULL))
			missing = maps[i].name;
	}
	libbpf_set_print(print);
	return missing;
}
