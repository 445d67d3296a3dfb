// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/fill.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "compile/source_table.h"
#include "kernel/datapath_internal.h"
#include "kernel/pins.h"
#include "compile/compile.h"
#include "compile/image.h"

const char *const slot_pins[SLOT_PINS] = { "details0", "details1", "sources0", "sources1" };

/* An inner map of a map in maps, and the path of its pin ("": not pinned). */
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

/* A new array has at least this many spare elements, so that the next ruleset fits as well. */
#define SPARE 64

/* Opens the present array if it suits `count` elements of `size` bytes; else returns -1. */
static int inner_open(const struct inner *inner, size_t size, size_t count)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info), id;
	int fd = *inner->path ? bpf_obj_get(inner->path) : -1;

	if (fd < 0)
		return -1;
	/* After a kill, the pinned map may not be the one in the map in maps. */
	if (!bpf_map_lookup_elem(inner->outer, &inner->slot, &id) &&
	    !bpf_obj_get_info_by_fd(fd, &info, &length) && info.id == id &&
	    info.value_size == size && info.max_entries >= count &&
	    info.max_entries <= 4 * (count + SPARE))
		return fd;
	close(fd);
	return -1;
}

static int inner_create(const char *name, size_t size, size_t count)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), size,
			      count + count / 8 + SPARE, &opts);
}

static int inner_put(const struct inner *inner, int fd)
{
	if (*inner->path &&
	    ((unlink(inner->path) && errno != ENOENT) || bpf_obj_pin(fd, inner->path)))
		return -errno;
	return bpf_map_update_elem(inner->outer, &inner->slot, &fd, BPF_ANY) ? -errno : 0;
}

static int inner_write(int fd, const void *elements, size_t size)
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
 * Puts `count` elements of `size` bytes into a slot. Uses the present array if they fit: the
 * update of a map in maps waits until all packets that are being judged are done.
 */
static int inner_set(const struct inner *inner, const char *name, const void *elements,
		     size_t size, size_t count)
{
	cleanup_close int present = inner_open(inner, size, count), made = -1;
	int err;

	if (present >= 0)
		return inner_write(present, elements, size * count);
	made = inner_create(name, size, count);
	if (made < 0)
		return -errno;
	err = inner_write(made, elements, size * count);
	return err ?: inner_put(inner, made);
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
		err = inner_set(&details, "details", image->details, sizeof(*image->details),
				image->detail_count);
	if (!err)
		err = inner_set(&sources, "sources", sets, sizeof(*sets), count);
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

static int fill_interface(const struct datapath *dp, const struct interface *iface,
			  unsigned int slot, const struct ruleset *ruleset)
{
	cleanup_close int details = pin_open(dp, iface->name, "details");
	cleanup_close int sources = pin_open(dp, iface->name, "sources");
	const struct slot_maps maps = { details, sources, dp, iface->name };

	if (details < 0 || sources < 0)
		return details < 0 ? details : sources;
	return slot_fill(&maps, iface->name, iface->table, slot, ruleset);
}

int slot_fill_all(const struct datapath *dp, unsigned int slot, const struct ruleset *ruleset)
{
	int err = 0;

	for (size_t i = 0; i < dp->count && !err; i++)
		err = fill_interface(dp, &dp->interfaces[i], slot, ruleset);
	if (!err)
		signers_fill(dp, slot, ruleset);
	return err;
}

int slot_mend(struct datapath *dp, unsigned int slot)
{
	cleanup_ruleset struct ruleset ruleset;
	int err;

	ruleset_init(&ruleset);
	err = stored_take_next(dp, !slot);
	if (err || !stored_has_next(dp, slot))
		return err;
	return datapath_settle(dp) ?: stored_load(dp, slot, &ruleset) ?:
	       slot_fill_all(dp, slot, &ruleset) ?: stored_remove_next(dp, slot);
}
