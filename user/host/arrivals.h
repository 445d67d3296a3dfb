/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which saved interfaces appeared, or were deleted and made again, since the last look. An
 * interface that was there all the time is not one of them: it may have been detached on purpose.
 */
#ifndef ARRIVALS_H
#define ARRIVALS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

/* A name, and the device that it stood for at the time of the look. */
struct sighting {
	char name[IFNAMSIZ];
	unsigned int ifindex; /* 0: no device has this name */
	bool saved; /* portctl was attached to this name when the rules were saved */
	bool generic; /* it was attached in generic mode then */
	bool due; /* it has appeared: attach to it */
	bool again; /* the same device was there at the last look as well */
};

/* One look: all saved names, whether or not a device has them, and all other devices. */
struct arrivals {
	struct sighting *list;
	size_t count;
	size_t room;
};

/* Frees the list and empties it. */
void arrivals_clear(struct arrivals *arrivals);

/* Adds a copy of *sighting, unless its name is in the list. Returns 0 or -ENOMEM. */
int arrivals_add(struct arrivals *arrivals, const struct sighting *sighting);

/* Sets `due` and `again` of each sighting in *now, by comparing it with the look before. */
void arrivals_compare(struct arrivals *now, const struct arrivals *before);

/* Whether any sighting is due. */
bool arrivals_due(const struct arrivals *arrivals);

/* Clears `due` of the devices that were due at the last look as well: attaching failed. */
void arrivals_give_up(struct arrivals *arrivals);

/*
 * Takes note of devices that were deleted, from `size` bytes of rtnetlink messages. Such a
 * device counts as new if it is there at the next look, even with the same index.
 */
void arrivals_hear(struct arrivals *arrivals, const void *messages, size_t size);

#endif
