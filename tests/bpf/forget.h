/* SPDX-License-Identifier: GPL-2.0-only */
/* Resets the maps of a loaded program to their state right after loading. */
#ifndef FORGET_H
#define FORGET_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "portctl.skel.h"
#include "tap.h"
#include "base/cleanup.h"

/* Returns the memory of a map that can be mapped. */
static inline void *map_memory(const struct bpf_map *map, size_t size)
{
	void *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		tap_bail("cannot map %s: %s", bpf_map__name(map), strerror(errno));
	return memory;
}

/* Clears an array that can be mapped, such as the program's global data. */
static inline void zero_memory(const struct bpf_map *map)
{
	size_t one = (bpf_map__value_size(map) + 7) & ~7ul;
	size_t size = one * bpf_map__max_entries(map);
	void *memory = map_memory(map, size);

	memset(memory, 0, size);
	munmap(memory, size);
}

/* Clears an array that cannot be mapped. */
static inline void zero_elements(const struct bpf_map *map)
{
	__u32 count = bpf_map__max_entries(map);
	cleanup_free void *values = calloc(count, bpf_map__value_size(map));
	cleanup_free __u32 *keys = calloc(count, sizeof(*keys));

	for (__u32 i = 0; keys && i < count; i++)
		keys[i] = i;
	if (!keys || !values ||
	    bpf_map_update_batch(bpf_map__fd(map), keys, values, &count, NULL))
		tap_bail("cannot zero %s: %s", bpf_map__name(map), strerror(errno));
}

/* Empties a hash, or an array of maps. */
static inline void delete_elements(const struct bpf_map *map)
{
	int fd = bpf_map__fd(map), more;
	__u8 key[64], next[64];

	for (more = bpf_map_get_next_key(fd, NULL, next); !more;) {
		memcpy(key, next, sizeof(key));
		more = bpf_map_get_next_key(fd, key, next);
		if (bpf_map_delete_elem(fd, key) && errno != ENOENT)
			tap_bail("cannot empty %s: %s", bpf_map__name(map), strerror(errno));
	}
}

static inline void reset_map(const struct bpf_map *map)
{
	__u32 flags = bpf_map__map_flags(map);

	if (flags & BPF_F_RDONLY_PROG)
		return; /* constants */
	if (flags & BPF_F_MMAPABLE)
		zero_memory(map);
	else if (bpf_map__type(map) == BPF_MAP_TYPE_ARRAY)
		zero_elements(map);
	else
		delete_elements(map);
}

static inline void reset_maps(struct portctl_bpf *program)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, program->obj) reset_map(map);
}

#endif
