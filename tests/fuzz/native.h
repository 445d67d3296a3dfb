/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What bpf/parse.h needs to be compiled for this machine: the kernel's types, and the two
 * helpers it calls. An address must fit into the 32 bits of struct xdp_md.
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

#include "portctl.h"

#include "../../bpf/packet.h"
#include "../../bpf/parse.h"

#endif
