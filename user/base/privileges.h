/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dropping privileges that a process does not need. A set of capabilities is a bit mask:
 * CAPABILITY(BPF) | CAPABILITY(PERFMON).
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <linux/capability.h>
#include <linux/types.h>
#include <stdbool.h>

#define CAPABILITY(name) (1ull << CAP_##name)

/* For loading programs, creating maps, and attaching to interfaces. */
#define CAPABILITIES_DATAPATH (CAPABILITY(BPF) | CAPABILITY(NET_ADMIN) | CAPABILITY(PERFMON))

/* Not a capability: the process runs programs, which may gain privileges by their file. */
#define RUNS_PROGRAMS (1ull << 63)

/*
 * Call this first in main(). If the privileges come from our own executable and not from
 * the caller, the caller is not trusted: set-user-ID and set-group-ID are refused; with file
 * capabilities the environment is cleared. Returns 0 or a negative errno; prints the reason.
 */
int privileges_check_origin(void);

/*
 * Drops all capabilities for good, except those in the mask that the process has. Programs it
 * runs can gain at most CAPABILITIES_DATAPATH; without RUNS_PROGRAMS they can gain nothing
 * (no_new_privs). Can be called again to drop more. Returns 0 or a negative errno.
 */
int privileges_keep(__u64 capabilities);

/* Whether the process has at least one capability of the mask in effect. */
bool privileges_has_any(__u64 capabilities);

/*
 * Becomes user "nobody" without capabilities, and sets limits: no new processes, no file
 * writes, no core dumps, at most `descriptors` open files. Returns 0 or a negative errno.
 */
int privileges_none(unsigned int descriptors);

#endif
