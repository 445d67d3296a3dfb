// SPDX-License-Identifier: GPL-2.0-only
/* Putting a compiled ruleset into one slot of an interface's maps. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "compile.h"
#include "datapath_internal.h"
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
	maps->sources4 = open_one(dp, name, "sources4");
	maps->sources6 = open_one(dp, name, "sources6");
	return maps->details < 0    ? maps->details
	       : maps->sources4 < 0 ? maps->sources4
	       : maps->sources6 < 0 ? maps->sources6
				    : 0;
}

void slot_maps_close(const struct slot_maps *maps)
{
	close_cleanup(&maps->details);
	close_cleanup(&maps->sources4);
	close_cleanup(&maps->sources6);
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

static int fill_details(int outer, __u32 slot, const struct image *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	cleanup_close int inner = -1;

	if (!image->detail_count)
		return set_inner(outer, slot, -1);
	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "details", sizeof(__u32),
			       sizeof(struct detail), image->detail_count, &opts);
	if (inner < 0)
		return -errno;
	for (__u32 i = 0; i < image->detail_count; i++) {
		if (bpf_map_update_elem(inner, &i, &image->details[i], BPF_ANY))
			return -errno;
	}
	return set_inner(outer, slot, inner);
}

static void make_key(const struct source_entry *source, struct source6_key *key)
{
	*key = (struct source6_key){
		.length = 32 + source->prefix.length,
		.group = source->group,
	};
	memcpy(key->address, source->prefix.address, sizeof(key->address));
}

/* The beginning of a struct source6_key is a struct source4_key. */
_Static_assert(__builtin_offsetof(struct source6_key, address) ==
		       __builtin_offsetof(struct source4_key, address),
	       "source keys begin alike");

static int fill_trie(int trie, const struct image *image, __u8 family)
{
	for (size_t i = 0; i < image->source_count; i++) {
		const struct source_entry *source = &image->sources[i];
		struct source6_key key;

		if (source->prefix.family != family)
			continue;
		make_key(source, &key);
		if (bpf_map_update_elem(trie, &key, &source->entry, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int fill_sources(int outer, __u32 slot, const struct image *image, __u8 family)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	cleanup_close int inner = -1;
	__u32 count = 0;
	int err;

	for (size_t i = 0; i < image->source_count; i++)
		count += image->sources[i].prefix.family == family;
	if (!count)
		return set_inner(outer, slot, -1);
	inner = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "sources",
			       family == 4 ? sizeof(struct source4_key)
					   : sizeof(struct source6_key),
			       sizeof(entry_t), count, &opts);
	if (inner < 0)
		return -errno;
	err = fill_trie(inner, image, family);
	return err ?: set_inner(outer, slot, inner);
}

int slot_fill(const struct slot_maps *maps, const char *name, struct generation *table,
	      unsigned int slot, const struct ruleset *ruleset)
{
	cleanup_free struct image *image = calloc(1, sizeof(*image));
	int err = image ? compile(ruleset, name, image, NULL) : -ENOMEM;

	if (!err)
		err = fill_details(maps->details, slot, image);
	if (!err)
		err = fill_sources(maps->sources4, slot, image, 4);
	if (!err)
		err = fill_sources(maps->sources6, slot, image, 6);
	if (!err)
		memcpy(&table[slot], &image->table, sizeof(image->table));
	if (image)
		image_clear(image);
	return err;
}
