/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What bpf/packet/parse.h and bpf/path/fast_path.h need to be compiled for this machine: the kernel's types,
 * the two helpers that are called, and a table in which each entry has all flags, so that
 * plain says what it found. An address must fit into the 32 bits of struct xdp_md.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include "vmlinux.h"
#include <bpf/bpf_endian.h>

#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline)) static
#define barrier_var(variable) asm volatile("" : "+r"(variable))

static inline __u64 bpf_xdp_get_buff_len(const struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}

static inline long bpf_loop(__u32 count, void *call, void *context, __u64 flags)
{
	long (*function)(__u32 index, void *context) = call;
	__u32 i = 0;

	(void)flags;
	while (i < count && !function(i, context))
		i++;
	return i;
}

#include "portctl/control.h"
#include "portctl/counters.h"
#include "portctl/event.h"
#include "portctl/generation.h"
#include "portctl/protocol.h"

static struct generation table[2];
static struct control control;
static struct cpu_counters words;

static inline count_t count_line(struct cpu_counters *own, __u64 line, __u64 bytes)
{
	return own->line[line >> 3] + bytes;
}

static inline count_t count_port(struct cpu_counters *own, __u64 port, __u64 entry, __u64 bytes)
{
	return own->drop[port >> 3] + entry + bytes;
}

static inline bool is_watched(void)
{
	return control.watchers;
}

static inline bool is_sampled(__u64 key)
{
	return key;
}

static inline int leave(__u64 verdict)
{
	return verdict;
}

static inline int attend_to(struct xdp_md *ctx, __u32 place, __u32 key, __u32 entry)
{
	return ctx->data + place + key + entry;
}

/* What is defined above stands for these headers. */
#define BASE_KERNEL_H
#define BASE_EVENT_H
#define PATH_SLOW_PATH_H
#define VERDICT_CHARGE_H

#include "base/compiler.h"
#include "packet/parse.h"
#include "path/fast_path.h"

#endif
