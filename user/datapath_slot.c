// SPDX-License-Identifier: GPL-2.0-only
/* Putting a compiled ruleset into one slot of an interface's maps. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "compile.h"
#include "datapath_internal.h"
#include "source_table.h"
#include "util.h"

static __u64 clock_now(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

__u64 since_boot(void)
{
	return clock_now(CLOCK_BOOTTIME);
}

__u64 utc_now(void)
{
	return clock_now(CLOCK_REALTIME);
}

/* The difference is whole seconds; the two are not read at the same moment. */
void clock_refresh(struct control *control)
{
	__u64 off = clock_now(CLOCK_TAI) - utc_now() + 500000000;

	control->tai_offset = off / 1000000000 * 1000000000;
}

static int open_one(const struct datapath *dp, const char *name, const char *pin)
{
	char path[PATH_MAX];
	int fd;

	pin_path(dp, name, pin, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int slot_maps_open(const struct datapath *dp, const char *name, struct slot_maps *maps)
{
	maps->details = open_one(dp, name, "details");
	maps->sources = open_one(dp, name, "sources");
	return maps->details < 0 ? maps->details : maps->sources < 0 ? maps->sources : 0;
}

void slot_maps_close(const struct slot_maps *maps)
{
	close_cleanup(&maps->details);
	close_cleanup(&maps->sources);
}

/* Puts an inner map into a slot, or empties the slot where there is none (-1). */
static int set_inner(int outer, __u32 slot, int inner)
{
	int err;

	if (inner >= 0)
		err = bpf_map_update_elem(outer, &slot, &inner, BPF_ANY);
	else
		err = bpf_map_delete_elem(outer, &slot);
	return err && errno != ENOENT ? -errno : 0;
}

/* Puts so many elements, as a new array, into a slot; none: empties it. */
static int set_array(int outer, __u32 slot, const char *name, const void *elements, size_t size,
		     size_t count)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	cleanup_close int inner = -1;
	void *memory;

	if (!count)
		return set_inner(outer, slot, -1);
	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), size, count, &opts);
	if (inner < 0)
		return -errno;
	memory = mmap(NULL, size * count, PROT_READ | PROT_WRITE, MAP_SHARED, inner, 0);
	if (memory == MAP_FAILED)
		return -errno;
	memcpy(memory, elements, size * count);
	munmap(memory, size * count);
	return set_inner(outer, slot, inner);
}

int slot_set(const struct slot_maps *maps, struct generation *table, unsigned int slot,
	     struct image *image)
{
	cleanup_free struct source_set *sets = NULL;
	size_t count;
	int err = source_table_make(image, &sets, &count);

	if (!err)
		err = set_array(maps->details, slot, "details", image->details,
				sizeof(*image->details), image->detail_count);
	if (!err)
		err = set_array(maps->sources, slot, "sources", sets, sizeof(*sets), count);
	if (!err)
		memcpy(&table[slot], &image->table, sizeof(image->table));
	return err;
}

int slot_fill(const struct slot_maps *maps, const char *name, struct generation *table,
	      unsigned int slot, const struct ruleset *ruleset)
{
	cleanup_free struct image *image = large_calloc(1, sizeof(*image));
	int err = image ? compile(ruleset, name, image, NULL) : -ENOMEM;

	if (!err)
		err = slot_set(maps, table, slot, image);
	if (image)
		image_clear(image);
	return err;
}
