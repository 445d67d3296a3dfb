/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet and byte counters: mapping them into memory and reading them. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include "kernel/datapath.h"
#include "portctl/counters.h"

#define ALL_COUNTERS UINT_MAX

/*
 * Maps the counters of every interface, either of the lines 0 to `lines` - 1, or, with
 * ALL_COUNTERS, of all lines and ports. Mapping all of them takes longer than the rest of
 * opening a data path. Counters that are mapped already stay mapped. Returns 0 or a negative
 * errno after saying why.
 */
int datapath_map_counters(struct datapath *dp, __u32 lines);

/*
 * Reads a counter of an interface whose counters are mapped: the packets that passed or were
 * dropped at a port key, or that were charged to a line. Packets may be counted meanwhile: each
 * is read once or not yet, never twice.
 */
struct tally counter_pass(const struct interface *iface, __u32 key);
struct tally counter_drop(const struct interface *iface, __u32 key);
struct tally counter_line(const struct interface *iface, __u32 line);

#endif
