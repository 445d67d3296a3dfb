/* SPDX-License-Identifier: GPL-2.0-only */
/* What those datapath*.c files share that load programs. */
#ifndef DATAPATH_LOAD_H
#define DATAPATH_LOAD_H

#include <bpf/libbpf.h>

#include "kernel/datapath_internal.h"
#include "portctl.skel.h"

/* A map that is pinned, and under which name. */
struct pinned_map {
	const char *pin;
	size_t map; /* where its struct bpf_map * is in struct portctl_bpf */
	bool shared; /* by all interfaces of the network namespace */
};

/* "control" is the first. */
extern const struct pinned_map pinned_maps[];
extern const size_t pinned_map_count;

struct bpf_map *pinned_map_of(const struct portctl_bpf *program, size_t index);

/*
 * Loads the data path of an interface: with the maps that are pinned for it, as far as
 * there are any, or, to replay, with maps of its own (`dp` may be NULL then). Returns
 * 0 or a negative errno after saying why; free with portctl_bpf__destroy() either way.
 */
int program_load(const struct datapath *dp, const char *name, enum purpose purpose,
		 struct portctl_bpf **program);

/* Those of a program; they stay its own. To replay, `dp` is NULL: nothing is pinned. */
struct slot_maps slot_maps_of(const struct portctl_bpf *program, const struct datapath *dp,
			      const char *name);

#endif
