/* SPDX-License-Identifier: GPL-2.0-only */
/* What was counted: the tally of all CPUs, and each CPU's word, as of one moment. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include "kernel/datapath.h"

/*
 * Of an interface whose counters are mapped (datapath_map_counters()): what a port, by its
 * key, passed and dropped, and what was charged to a line. Packets may be counted
 * meanwhile: none is left out and none is read twice.
 */
struct tally counter_pass(const struct interface *iface, __u32 key);
struct tally counter_drop(const struct interface *iface, __u32 key);
struct tally counter_line(const struct interface *iface, __u32 line);

#endif
