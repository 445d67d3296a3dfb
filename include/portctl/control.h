/* SPDX-License-Identifier: GPL-2.0-only */
/* Control: what all interfaces of a network namespace share. */
#ifndef PORTCTL_CONTROL_H
#define PORTCTL_CONTROL_H

#include "portctl/types.h"

/*
 * The version of all map layouts in this folder. Raise it whenever one of them changes; pinned
 * maps of another version are refused.
 */
#define PORTCTL_SCHEMA 11

/*
 * One store of `generation` changes the ruleset of all interfaces: each of them judges packets
 * by slot `generation & 1` (generation.h).
 *
 * A change that must be confirmed sets `pending` to the generation it made. A timer in the
 * kernel (bpf/confirm.bpf.c) goes back to the generation before, unless `pending` was set to 0
 * until then. The command and the timer both clear `pending` by compare-and-swap, so only one
 * of them decides.
 */
struct control {
	__u32 schema; /* PORTCTL_SCHEMA */
	__u32 generation;
	__u32 pending; /* 0: no change waits for confirmation */
	__u32 rolled_back; /* how often the timer went back */
	__u64 deadline; /* when the timer goes back, nanoseconds since boot */
	__u32 secret[16]; /* random. 0-11: tags of flows; 0-3 also: the hash of a source that
			   * finds its attempts; 12-15: the hash of a source that finds its
			   * bucket of a limit per source */
	__u64 created; /* nanoseconds since 1970; signatures from before are refused */
	__u64 tai_offset; /* nanoseconds that CLOCK_TAI is ahead of UTC */
	__u32 watchers; /* bit n is set: element n of the map `events` is a monitor's */
	__u32 samples; /* of drops and rejects, per second and key; at most 255 */
	__u64 sampled_at; /* when the current second of samples began, ns since boot */
	__u32 settled; /* equal to `generation`: no packet uses the other slot any more */
	__u32 zero;
};

_Static_assert(sizeof(struct control) == 128, "struct control");

#endif
