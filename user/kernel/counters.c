// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel enters every page of a map into the page table at once, and the counters have many
 * pages (3 MiB for each CPU). So only the counters that are needed are mapped. The rest of their
 * address range is reserved without access, and a process that reads there is killed.
 */
#include "kernel/counters.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/datapath_internal.h"
#include "kernel/needs.h"
#include "kernel/pins.h"

/* A process may have 65,530 mappings (vm.max_map_count); each part of a CPU's uses two. */
#define MANY_PARTS 8192

/* The distance from a counter of one CPU to the same counter of the next CPU. */
#define NEXT_CPU (sizeof(struct cpu_counters) / sizeof(count_t))

/* How often to read a counter again. A CPU that is adding to the sum is done long before. */
#define TRIES 10000

static void *reserve(size_t size)
{
	void *range = mmap(NULL, pin_page_align(size), PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return range == MAP_FAILED ? NULL : range;
}

/* Maps the pages that hold the bytes `from` to `to` of a map, into a reserved range. */
static int map_part(void *range, int map, size_t from, size_t to)
{
	size_t begin = from - from % pin_page_align(1);
	void *start = (char *)range + begin;

	if (mmap(start, pin_page_align(to) - begin, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, map, begin) == MAP_FAILED)
		return -errno;
	/* datapath_settle_in_child() does not need the counters: make its fork cheaper. */
	return madvise(start, pin_page_align(to) - begin, MADV_DONTFORK) ? -errno : 0;
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
	err = pin_map_sized(path, sizeof(*iface->counters), NULL, NULL);
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
	pin_unmap(iface->counters, sizeof(*iface->counters));
	pin_unmap(iface->cpu_counters, iface->cpus * sizeof(*iface->cpu_counters));
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
				    dp->interfaces[i].name, datapath_reason(err));
	}
	return 0;
}

/*
 * Reads a counter once. A CPU whose counter is full adds it to the shared sum, packets first,
 * and then sets its own to zero (bpf/verdict/charge.h). So the result may be wrong if some CPU's counter
 * is full, or if the packets of the sum changed meanwhile: then this returns false.
 */
static bool read_once(const struct interface *iface, const struct tally *sum,
		      const count_t *count, struct tally *read)
{
	__u64 packets = __atomic_load_n(&sum->packets, __ATOMIC_ACQUIRE);
	count_t full = 0;

	*read = (struct tally){ .packets = packets };
	for (size_t cpu = 0; cpu < iface->cpus; cpu++) {
		count_t one = __atomic_load_n(&count[cpu * NEXT_CPU], __ATOMIC_ACQUIRE);
		struct tally tally = count_tally(one);

		full |= one;
		read->packets += tally.packets;
		read->bytes += tally.bytes;
	}
	read->bytes += __atomic_load_n(&sum->bytes, __ATOMIC_ACQUIRE);
	return !(full & COUNT_FULL) &&
	       __atomic_load_n(&sum->packets, __ATOMIC_RELAXED) == packets;
}

static struct tally read_counter(const struct interface *iface, const struct tally *sum,
				 const count_t *count)
{
	struct tally read;

	for (int i = 0; !read_once(iface, sum, count, &read) && i < TRIES; i++)
		sched_yield();
	return read;
}

struct tally counter_pass(const struct interface *iface, __u32 key)
{
	return read_counter(iface, &iface->counters->pass[key],
			    &iface->cpu_counters->pass[key]);
}

struct tally counter_drop(const struct interface *iface, __u32 key)
{
	return read_counter(iface, &iface->counters->drop[key],
			    &iface->cpu_counters->drop[key]);
}

struct tally counter_line(const struct interface *iface, __u32 line)
{
	return read_counter(iface, &iface->counters->line[line],
			    &iface->cpu_counters->line[line]);
}
