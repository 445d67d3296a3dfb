// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/pins.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/needs.h"

/*
 * A BPF file system allows no dot in a file's name. An interface's name may have a dot, and may
 * not have a colon (dev_valid_name() in the kernel), so folders have colons in place of dots.
 */
static void swap_characters(char *text, char from, char to)
{
	for (; *text; text++) {
		if (*text == from)
			*text = to;
	}
}

void pin_path(const struct datapath *dp, const char *iface, const char *pin,
	      char path[PATH_MAX])
{
	char folder[IFNAMSIZ] = "";

	if (iface)
		strncpy(folder, iface, IFNAMSIZ - 1);
	swap_characters(folder, '.', ':');
	snprintf(path, PATH_MAX, "%s%s%s%s%s", dp->path, iface ? "/" : "", folder,
		 *pin ? "/" : "", pin);
}

bool pin_folder_interface(const struct dirent *entry, char name[IFNAMSIZ])
{
	if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
	    strlen(entry->d_name) >= IFNAMSIZ)
		return false;
	strcpy(name, entry->d_name);
	swap_characters(name, ':', '.');
	return true;
}

int pin_open(const struct datapath *dp, const char *iface, const char *pin)
{
	char path[PATH_MAX];
	int fd;

	pin_path(dp, iface, pin, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pin_reuse(const struct datapath *dp, const char *iface, const char *pin,
	      struct bpf_map *map)
{
	cleanup_close int fd = pin_open(dp, iface, pin);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return bpf_map__reuse_fd(map, fd);
}

int pin_remove(const struct datapath *dp, const char *iface, const char *pin)
{
	char path[PATH_MAX];

	pin_path(dp, iface, pin, path);
	if ((*pin ? unlink(path) : rmdir(path)) && errno != ENOENT)
		return fail(-errno, "cannot remove %s: %s", path, datapath_reason(-errno));
	return 0;
}

size_t pin_page_align(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

void pin_unmap(const void *memory, size_t size)
{
	if (memory)
		munmap((void *)memory, pin_page_align(size));
}

int pin_map(const char *path, void **memory, size_t *size, size_t *count)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info);
	cleanup_close int fd = bpf_obj_get(path);
	void *mapped;

	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	if (size)
		*size = info.value_size;
	if (count)
		*count = info.max_entries;
	if (!memory)
		return 0;
	mapped = mmap(NULL, pin_page_align((size_t)info.value_size * info.max_entries),
		      PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	*memory = mapped;
	return 0;
}

int pin_map_sized(const char *path, size_t size, void **memory, size_t *count)
{
	size_t found, elements;
	int err = pin_map(path, memory, &found, &elements);

	if (err)
		return err;
	if (found != size) {
		if (memory) {
			pin_unmap(*memory, found * elements);
			*memory = NULL;
		}
		return -EPROTO;
	}
	if (count)
		*count = elements;
	return 0;
}

int pin_map_shared(const struct datapath *dp, const char *pin, size_t size, void **memory,
		   size_t *count)
{
	char path[PATH_MAX];
	int err;

	*memory = NULL;
	*count = 0;
	pin_path(dp, NULL, pin, path);
	err = pin_map_sized(path, size, memory, count);
	return err == -ENOENT ? 0 : err;
}
