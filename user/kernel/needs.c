// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/needs.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "base/array.h"

static const struct {
	enum bpf_prog_type program;
	int helper; /* 0: the program type itself */
	const char *name;
} programs[] = {
	{ BPF_PROG_TYPE_XDP, 0, "XDP programs (CONFIG_BPF_SYSCALL)" },
	{ BPF_PROG_TYPE_SCHED_CLS, 0, "TC programs (CONFIG_NET_CLS_BPF)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_skc_lookup_tcp,
	  "socket lookup in XDP programs (CONFIG_INET, Linux 5.2)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_jiffies64, "timer ticks in programs (Linux 5.5)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_boot_ns,
	  "the time since boot in programs (Linux 5.8)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_for_each_map_elem, "loops over maps (Linux 5.13)" },
	{ BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_timer_init, "timers in programs (Linux 5.15)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_loop, "the loop helper (bpf_loop, Linux 5.17)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes,
	  "XDP with frames in several buffers (Linux 5.18)" },
	{ BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_tai_ns,
	  "the time of day in programs (Linux 6.1)" },
};

static const struct {
	enum bpf_map_type map;
	const char *name;
} maps[] = {
	{ BPF_MAP_TYPE_ARRAY_OF_MAPS, "maps in maps (ARRAY_OF_MAPS, Linux 4.12)" },
	{ BPF_MAP_TYPE_LRU_HASH, "LRU maps (LRU_HASH, Linux 4.10)" },
	{ BPF_MAP_TYPE_RINGBUF, "ring buffers (RINGBUF, Linux 5.8)" },
};

static int probe_program(enum bpf_prog_type program, int helper)
{
	return helper ? libbpf_probe_bpf_helper(program, helper, NULL)
		      : libbpf_probe_bpf_prog_type(program, NULL);
}

const char *needs_missing(void)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	const char *missing = NULL;

	/* A probe returns less than 0 if it could not find out. */
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

const char *datapath_reason(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return "permission denied: run it as root, or with CAP_BPF, CAP_PERFMON and "
		       "CAP_NET_ADMIN";
	case ENOMEM:
		return "out of memory";
	case E2BIG: /* compile() */
		return "too many overlapping rules for one port: portctl.rules(5), WHICH RULE "
		       "WINS";
	case EUSERS: /* assign_lines() */
		return "the running and the new rules together have too many knocks (64 fit) "
		       "or limits: change some rules first, then the others";
	}
	return strerror(-err);
}
