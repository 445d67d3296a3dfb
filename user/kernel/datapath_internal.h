/* SPDX-License-Identifier: GPL-2.0-only */
/* What the datapath*.c files share, and nobody else includes. */
#ifndef DATAPATH_INTERNAL_H
#define DATAPATH_INTERNAL_H

#include <dirent.h>

#include "compile/compile.h"
#include "kernel/datapath.h"

/* The data path's global data, as the pin "table" has it. */
struct tables {
	struct generation slots[2];
	struct sampling sampling;
};

/* The network namespace's cookie: unlike its inode it is never used again. */
int namespace_cookie(__u64 *cookie);

/* Says what a failed call means to a person: permission, memory, or errno's text. */
const char *reason(int err);

/* The path of a pin: of an interface, or of the namespace where iface is NULL. */
void pin_path(const struct datapath *dp, const char *iface, const char *pin,
	      char path[PATH_MAX]);

/* Opens one; -ENOENT where it is not there. Says nothing. */
int pin_open(const struct datapath *dp, const char *iface, const char *pin);

/*
 * Maps a pinned array map into memory, unless `memory` is NULL. *size becomes the
 * bytes of one element and *count the number of elements; both may be NULL. Returns 0
 * or a negative errno and says nothing: -ENOENT where there is no such pin.
 */
int pin_map(const char *path, void **memory, size_t *size, size_t *count);
void unmap(const void *memory, size_t size);

/* The same, and -EPROTO for a map whose elements are not of that size: another's, or older. */
int map_sized(const char *path, size_t wanted, void **memory, size_t *count);

/* Rounds up to whole pages. */
size_t page_align(size_t size);

/* Makes the namespace's folder and its control map, if they are not there. */
int datapath_create(struct datapath *dp);

/* Whether a folder among the pins is an interface's, and of which name. */
bool interface_folder(const struct dirent *entry, char name[IFNAMSIZ]);

/* Reads and maps the pins of one interface; says nothing. */
int interface_open(const struct datapath *dp, const char *name, struct interface *iface);
void interface_close(struct interface *iface);

/* datapath_map_counters() for one of them, which says nothing. */
int interface_map_counters(const struct datapath *dp, struct interface *iface, __u32 lines);
void interface_unmap_counters(struct interface *iface);

/*
 * Finishes what a kill has left of a rule's counts on their way, before another slot
 * becomes active. Says nothing.
 */
int finish_moves(struct datapath *dp);

/* Reads the ruleset of one slot; an empty one where the slot has none. */
int ruleset_load(const struct datapath *dp, unsigned int slot, struct ruleset *ruleset);

/*
 * Makes the slot that is not active whole again, with the ruleset it had, where a
 * change to it came to no end. Says nothing.
 */
int slot_mend(struct datapath *dp, unsigned int slot);

/*
 * Waits until every packet is done that was on its way when the active generation became
 * it, so that none holds the other slot; not where that is known already. Returns 0 or a
 * negative errno, and says nothing.
 */
int settle(const struct datapath *dp);

/*
 * After a flip: begins that in a child, so that the next change need not wait. A process
 * that goes on may wait for the child, or ignore SIGCHLD.
 */
void settle_behind(const struct datapath *dp);

/*
 * Puts an XDP program on a device; `replace`: also where another's is. Returns
 * the link's descriptor, or a negative errno after saying why.
 */
int hook_xdp(const char *name, unsigned int ifindex, int program, enum attach_mode mode,
	     bool replace);

/*
 * Whether no XDP program is on a device: 0, or a negative errno after saying what is. Asked
 * before anything there is changed: it may be that of a portctl whose pins are elsewhere.
 */
int hook_check_free(const char *name, unsigned int ifindex);

/*
 * Puts a TC program on what leaves a device. It stays by itself; one of ours that
 * is there already is replaced. unhook_egress(): gone already is as good.
 */
int hook_egress(const char *name, unsigned int ifindex, int program);
int unhook_egress(const char *name, unsigned int ifindex);

/* The maps in maps of an interface: their descriptors, and where the inner ones are pinned. */
struct slot_maps {
	int details;
	int sources;
	const struct datapath *dp; /* NULL: nowhere */
	const char *name;
};

/* The pins of the inner maps of an interface. */
#define SLOT_PINS 4
extern const char *const slot_pins[SLOT_PINS];

/* Opens those that are pinned, says nothing; close them, also after a failure. */
int slot_maps_open(const struct datapath *dp, const char *name, struct slot_maps *maps);
void slot_maps_close(const struct slot_maps *maps);

/* Puts an image into a slot: all of slot_fill() but for the compiling. */
int slot_set(const struct slot_maps *maps, struct generation *table, unsigned int slot,
	     struct image *image);

/*
 * Compiles a ruleset for an interface and puts it into a slot of its table and of
 * its maps in maps. The slot must not be active, or no packet may come yet.
 */
int slot_fill(const struct slot_maps *maps, const char *name, struct generation *table,
	      unsigned int slot, const struct ruleset *ruleset);

/*
 * Makes the kernel go back from `generation`, which is not active yet, to the
 * one before it in so many seconds, unless it is confirmed. Says nothing.
 */
int way_back_prepare(struct datapath *dp, __u32 generation, __u32 seconds);

/*
 * Goes back from the active generation where its time was over before it was active: the
 * kernel's timer has found nothing to go back from, and does not come again. Returns
 * -ETIME where it did, which it says.
 */
int way_back_if_late(struct datapath *dp);

/* Forgets a way back from a change that never came to run. */
void way_back_forget(struct datapath *dp);

/*
 * Reads the key files of a ruleset's signed knocks and makes who is in them, and no
 * one else, a signer of a slot that no packet holds. Where a file is not as it must be it
 * says so, and the door keeps the signers that the same knock has in the other slot, else
 * none: the rest is to be filtered all the same.
 */
void signers_fill(const struct datapath *dp, unsigned int slot, const struct ruleset *ruleset);

/* Forgets what was at a door, before another knock gets its number. Says nothing. */
int door_clear(const struct datapath *dp, __u32 door);

#endif
