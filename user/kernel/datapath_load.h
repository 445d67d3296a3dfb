/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading the programs of the data path, and the maps of these programs that are pinned. */
#ifndef DATAPATH_LOAD_H
#define DATAPATH_LOAD_H

#include <bpf/libbpf.h>

#include "kernel/datapath.h"
#include "kernel/fill.h"
#include "portctl/inquiry.h"

#include "portctl.skel.h" /* needs struct control and others */

/* A map of the program that is pinned. */
struct pinned_map {
	const char *pin;
	size_t map; /* offset of its struct bpf_map * in struct portctl_bpf */
	bool shared; /* by all interfaces of the network namespace */
};

/* The first is "control". */
extern const struct pinned_map pinned_maps[];
extern const size_t pinned_map_count;

struct bpf_map *pinned_map_of(const struct portctl_bpf *program, size_t index);

/*
 * Loads the data path for an interface. It uses the maps that are pinned for the interface, as
 * far as they exist. With PURPOSE_REPLAY it has maps of its own, and `dp` may be NULL. Returns 0
 * or a negative errno after saying why. Free with portctl_bpf__destroy() in either case.
 */
int program_load(const struct datapath *dp, const char *name, enum purpose purpose,
		 struct portctl_bpf **program);

/*
 * The maps in maps of a loaded program, to be used with fill.h. They belong to the program: do
 * not close them. With `dp` NULL, the inner maps are not pinned.
 */
struct slot_maps slot_maps_of(const struct portctl_bpf *program, const struct datapath *dp,
			      const char *name);

#endif
