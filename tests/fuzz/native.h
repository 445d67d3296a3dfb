/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two parsers of the data path, compiled for the machine that runs the tests. The parsers
 * need nothing of bpf/ but bpf/packet/; of the kernel they need its types and the two helper
 * functions that are defined here. An address must fit into the 32 bits of struct xdp_md.
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

#define BASE_KERNEL_H /* all of the above stands for bpf/base/kernel.h */
#include "base/compiler.h"

#include "packet/parse.h"
#include "packet/parse_fast.h"

#endif
