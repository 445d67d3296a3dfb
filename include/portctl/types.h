/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixed-width types of the headers in this folder: __u8 to __u64, __be16, __be32, __be64.
 * A BPF program includes vmlinux.h first, which defines them; linux/types.h would define
 * them again.
 */
#ifndef PORTCTL_TYPES_H
#define PORTCTL_TYPES_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#endif
