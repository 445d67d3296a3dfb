/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process may do, and giving up what it does not need. Privileges are counted
 * in capabilities, as bits: CAPABILITY(BPF) | CAPABILITY(PERFMON).
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <linux/capability.h>
#include <linux/types.h>

#define CAPABILITY(name) (1ull << CAP_##name)

/* Loading programs, making maps, and attaching to interfaces. */
#define CAPABILITIES_DATAPATH (CAPABILITY(BPF) | CAPABILITY(NET_ADMIN) | CAPABILITY(PERFMON))

/* No capability, but beside them: programs are run, which may have privileges of their own. */
#define RUNS_PROGRAMS (1ull << 63)

/*
 * To be called first of all: where the privileges come from a bit of our own file and
 * not from who runs us, what that one says is not believed. With set-user-ID or
 * set-group-ID it is refused to go on; with file capabilities the environment is
 * emptied. Returns 0 or a negative errno, having said why.
 */
int privileges_check_origin(void);

/*
 * Keeps those of these capabilities that the process has, and none of the others can
 * come back. A program that is run can have CAPABILITIES_DATAPATH at most, and without
 * RUNS_PROGRAMS none but those that are kept (no_new_privs). Can be called again, to
 * keep less. Returns 0 or a negative errno.
 */
int privileges_keep(__u64 capabilities);

/*
 * Becomes "nobody" without any capability, who can start no process, write to no
 * file and open so many descriptors at most.
 */
int privileges_none(unsigned int descriptors);

#endif
