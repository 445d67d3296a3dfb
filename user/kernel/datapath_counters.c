// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping the counters. The kernel enters every page of a map at once, which for all
 * counters are many (3 MiB a CPU): so what is not asked for stays out. It keeps its place,
 * and whoever touches it there ends.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "kernel/datapath_internal.h"
#include "base/cleanup.h"
#include "base/log.h"

/* A process may have 65,530 mappings (vm.max_map_count); each part of a CPU's is two. */
#define MANY_PARTS 8192

static void *reserve(size_t size)
{
	void *place = mmap(NULL, page_align(size), PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return place == MAP_FAILED ? NULL : place;
}

/* The pages of a map that have its bytes from `from` up to `to`. */
static int map_part(void *place, int map, size_t from, size_t to)
{
	size_t begin = from - from % page_align(1);
	void *there = (char *)place + begin;

	if (mmap(there, page_align(to) - begin, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 map, begin) == MAP_FAILED)
		return -errno;
	/* The child that settles does without. */
	return madvise(there, page_align(to) - begin, MADV_DONTFORK) ? -errno : 0;
}

static int map_shared(struct interface *iface, int map, __u32 lines)
{
	size_t end = sizeof(*iface->counters);

	if (lines == ALL_COUNTERS)
		return map_part(iface->counters, map, 0, end);
	return map_part(iface->counters, map, offsetof(struct counters, line),
			offsetof(struct counters, line[lines]))
		       ?: map_part(iface->counters, map, offsetof(struct counters, move), end);
}

static int map_each_cpu(struct interface *iface, int map, __u32 lines)
{
	size_t size = sizeof(*iface->cpu_counters);
	int err = 0;

	if (lines == ALL_COUNTERS)
		return map_part(iface->cpu_counters, map, 0, iface->cpus * size);
	for (size_t cpu = 0; cpu < iface->cpus && !err; cpu++)
		err = map_part(iface->cpu_counters, map,
			       cpu * size + offsetof(struct cpu_counters, line),
			       cpu * size + offsetof(struct cpu_counters, line[lines]));
	return err;
}

static int map_counters(const struct datapath *dp, struct interface *iface, __u32 lines)
{
	cleanup_close int shared = pin_open(dp, iface->name, "counters");
	cleanup_close int each = pin_open(dp, iface->name, "cpu_counters");
	char path[PATH_MAX];
	int err;

	if (shared < 0 || each < 0)
		return shared < 0 ? shared : each;
	pin_path(dp, iface->name, "counters", path);
	err = map_sized(path, sizeof(*iface->counters), NULL, NULL);
	if (err)
		return err;
	iface->counters = reserve(sizeof(*iface->counters));
	iface->cpu_counters = reserve(iface->cpus * sizeof(*iface->cpu_counters));
	if (!iface->counters || !iface->cpu_counters)
		return -ENOMEM;
	return map_shared(iface, shared, lines) ?: map_each_cpu(iface, each, lines);
}

void interface_unmap_counters(struct interface *iface)
{
	unmap(iface->counters, sizeof(*iface->counters));
	unmap(iface->cpu_counters, iface->cpus * sizeof(*iface->cpu_counters));
	iface->counters = NULL;
	iface->cpu_counters = NULL;
	iface->mapped = 0;
}

int interface_map_counters(const struct datapath *dp, struct interface *iface, __u32 lines)
{
	int err;

	if (iface->mapped >= lines)
		return 0;
	if (dp->count * iface->cpus > MANY_PARTS)
		lines = ALL_COUNTERS;
	interface_unmap_counters(iface);
	err = map_counters(dp, iface, lines);
	if (err)
		interface_unmap_counters(iface);
	else
		iface->mapped = lines;
	return err;
}

int datapath_map_counters(struct datapath *dp, __u32 lines)
{
	for (size_t i = 0; i < dp->count; i++) {
		int err = interface_map_counters(dp, &dp->interfaces[i], lines);

		if (err)
			return fail(err, "cannot read the counters of %s: %s",
				    dp->interfaces[i].name, reason(err));
	}
	return 0;
}
