// SPDX-License-Identifier: GPL-2.0-only
/* Putting a compiled ruleset into one slot of an interface's maps. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "compile/compile.h"
#include "kernel/datapath_internal.h"
#include "compile/source_table.h"
#include "base/array.h"
#include "base/cleanup.h"

int pin_open(const struct datapath *dp, const char *iface, const char *pin)
{
	char path[PATH_MAX];
	int fd;

	pin_path(dp, iface, pin, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int slot_maps_open(const struct datapath *dp, const char *name, struct slot_maps *maps)
{
	maps->dp = dp;
	maps->name = name;
	maps->details = pin_open(dp, name, "details");
	maps->sources = pin_open(dp, name, "sources");
	return maps->details < 0 ? maps->details : maps->sources < 0 ? maps->sources : 0;
}

void slot_maps_close(const struct slot_maps *maps)
{
	close_cleanup(&maps->details);
	close_cleanup(&maps->sources);
}

const char *const slot_pins[SLOT_PINS] = { "details0", "details1", "sources0", "sources1" };

/* An array in a map of maps, and where it is pinned; "": nowhere. */
struct inner {
	int outer;
	__u32 slot;
	char path[PATH_MAX];
};

static struct inner inner_of(const struct slot_maps *maps, bool sources, unsigned int slot)
{
	struct inner inner = { sources ? maps->sources : maps->details, slot, "" };

	if (maps->dp)
		pin_path(maps->dp, maps->name, slot_pins[2 * sources + slot], inner.path);
	return inner;
}

/* So many elements more than are needed, or an eighth: the next ruleset fits in as well. */
#define SPARE 64

/* The array that is there, where so many elements fit it; else -1. */
static int open_inner(const struct inner *inner, size_t size, size_t count)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info), id;
	int fd = *inner->path ? bpf_obj_get(inner->path) : -1;

	if (fd < 0)
		return -1;
	/* After a kill another may be pinned than is in the map of maps. */
	if (!bpf_map_lookup_elem(inner->outer, &inner->slot, &id) &&
	    !bpf_obj_get_info_by_fd(fd, &info, &length) && info.id == id &&
	    info.value_size == size && info.max_entries >= count &&
	    info.max_entries <= 4 * (count + SPARE))
		return fd;
	close(fd);
	return -1;
}

static int create_inner(const char *name, size_t size, size_t count)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), size,
			      count + count / 8 + SPARE, &opts);
}

static int put_inner(const struct inner *inner, int fd)
{
	if (*inner->path &&
	    ((unlink(inner->path) && errno != ENOENT) || bpf_obj_pin(fd, inner->path)))
		return -errno;
	return bpf_map_update_elem(inner->outer, &inner->slot, &fd, BPF_ANY) ? -errno : 0;
}

static int write_inner(int fd, const void *elements, size_t size)
{
	void *memory =
		size ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : NULL;

	if (memory == MAP_FAILED)
		return -errno;
	if (memory) {
		memcpy(memory, elements, size);
		munmap(memory, size);
	}
	return 0;
}

/*
 * Puts so many elements into a slot, into the array that is there if they fit it: for
 * another one the kernel would wait until the packets on their way are done.
 */
static int set_array(const struct inner *inner, const char *name, const void *elements,
		     size_t size, size_t count)
{
	cleanup_close int present = open_inner(inner, size, count), made = -1;
	int err;

	if (present >= 0)
		return write_inner(present, elements, size * count);
	made = create_inner(name, size, count);
	if (made < 0)
		return -errno;
	err = write_inner(made, elements, size * count);
	return err ?: put_inner(inner, made);
}

int slot_set(const struct slot_maps *maps, struct generation *table, unsigned int slot,
	     struct image *image)
{
	struct inner details = inner_of(maps, false, slot);
	struct inner sources = inner_of(maps, true, slot);
	cleanup_free struct source_set *sets = NULL;
	size_t count;
	int err = source_table_make(image, &sets, &count);

	if (!err)
		err = set_array(&details, "details", image->details, sizeof(*image->details),
				image->detail_count);
	if (!err)
		err = set_array(&sources, "sources", sets, sizeof(*sets), count);
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
