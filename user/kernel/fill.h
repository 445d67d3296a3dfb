/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting a compiled ruleset into one of the two slots of an interface's maps. Functions return
 * 0 or a negative errno, and print nothing.
 */
#ifndef FILL_H
#define FILL_H

#include "compile/image.h"
#include "rules/ruleset.h"
#include "kernel/datapath.h"
#include "portctl/generation.h"

/* The maps in maps of an interface, and where their inner maps are pinned. */
struct slot_maps {
	int details; /* descriptors */
	int sources;
	const struct datapath *dp; /* NULL: the inner maps are not pinned */
	const char *name; /* of the interface */
};

/* The pins of the inner maps of an interface. */
#define SLOT_PINS 4
extern const char *const slot_pins[SLOT_PINS];

/* Puts an image into a slot of an interface's table and maps. */
int slot_set(const struct slot_maps *maps, struct generation *table, unsigned int slot,
	     struct image *image);

/*
 * Compiles a ruleset for an interface, and puts it into a slot of its table and maps. The slot
 * must not be active, unless no packet can come yet.
 */
int slot_fill(const struct slot_maps *maps, const char *name, struct generation *table,
	      unsigned int slot, const struct ruleset *ruleset);

/* Fills a slot of every interface, and its signers. */
int slot_fill_all(const struct datapath *dp, unsigned int slot, const struct ruleset *ruleset);

/*
 * Fills the slot that is not active once more with the ruleset that is stored for it, if a
 * change of it did not finish.
 */
int slot_mend(struct datapath *dp, unsigned int slot);

#endif
