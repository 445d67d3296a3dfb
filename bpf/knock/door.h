/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doors by their number, which is from 1 to MAX_DOORS. The masks prove bounds to the verifier.
 */
#ifndef KNOCK_DOOR_H
#define KNOCK_DOOR_H

#include "base/maps.h"
#include "portctl/knock.h"

static __always_inline const struct door *door_at(__u32 slot, __u32 door)
{
	return &table[slot & 1].doors[(door - 1) & (MAX_DOORS - 1)];
}

static __always_inline struct door_counts *counts_of(__u32 door)
{
	__u32 index = (door - 1) & (MAX_DOORS - 1);

	return bpf_map_lookup_elem(&door_counts, &index);
}

#endif
