/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pins: files in a BPF file system, each of which keeps a map or a link in the kernel.
 * datapath.h lists them. Functions return 0 (or a descriptor) or a negative errno. They print
 * nothing, unless their comment says so.
 */
#ifndef PINS_H
#define PINS_H

#include <bpf/libbpf.h>
#include <dirent.h>

#include "kernel/datapath.h"

/*
 * Writes the path of a pin. `iface` is the interface that the pin belongs to, or NULL for a pin
 * of the network namespace. With `pin` "", the path is that of the folder.
 */
void pin_path(const struct datapath *dp, const char *iface, const char *pin,
	      char path[PATH_MAX]);

/*
 * Whether an entry of the namespace's folder is the folder of an interface. If so, `name`
 * becomes the interface's name.
 */
bool pin_folder_interface(const struct dirent *entry, char name[IFNAMSIZ]);

/* Opens a pinned map or link. Returns its descriptor; -ENOENT if there is no such pin. */
int pin_open(const struct datapath *dp, const char *iface, const char *pin);

/* Makes `map`, which is not loaded yet, use the pinned map, if there is one. */
int pin_reuse(const struct datapath *dp, const char *iface, const char *pin,
	      struct bpf_map *map);

/* Removes a pin; with `pin` "", the folder. Prints what failed. No such pin is not an error. */
int pin_remove(const struct datapath *dp, const char *iface, const char *pin);

/*
 * Maps a pinned array into memory, unless `memory` is NULL. *size becomes the bytes of one
 * element and *count the number of elements; both pointers may be NULL. Returns -ENOENT if
 * there is no such pin. Unmap with pin_unmap(), giving it size * count.
 */
int pin_map(const char *path, void **memory, size_t *size, size_t *count);

/* As pin_map(), but returns -EPROTO unless an element has `size` bytes. */
int pin_map_sized(const char *path, size_t size, void **memory, size_t *count);

/*
 * As pin_map_sized(), for a pin of the network namespace. If there is no such pin (nothing was
 * ever attached), *memory becomes NULL, *count 0, and 0 is returned.
 */
int pin_map_shared(const struct datapath *dp, const char *pin, size_t size, void **memory,
		   size_t *count);

/* Unmaps `size` bytes, rounded up to pages. NULL is allowed. */
void pin_unmap(const void *memory, size_t size);

/* Rounds a size in bytes up to whole pages. */
size_t pin_page_align(size_t size);

#endif
