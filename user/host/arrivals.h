/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which saved interfaces have come, or were made again, since they were last looked at.
 * One that was there all along is none of them: it may have been detached on purpose.
 */
#ifndef ARRIVALS_H
#define ARRIVALS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

/* A name, and the device that it stood for when it was looked at. */
struct sighting {
	char name[IFNAMSIZ];
	unsigned int ifindex; /* 0: none */
	bool saved;
	bool generic; /* how it was attached when it was saved */
	bool due; /* it has come, and is to be attached to */
	bool again; /* it was there at the last look as well */
};

/* All of one look: those that are saved, there or not, and every other device. */
struct arrivals {
	struct sighting *list;
	size_t count;
	size_t room;
};

void arrivals_clear(struct arrivals *arrivals);

/* Puts one on the list, unless that name is there already. Returns 0 or -ENOMEM. */
int arrivals_add(struct arrivals *arrivals, const struct sighting *sighting);

/* Finds what is due, since the look before and from it. */
void arrivals_compare(struct arrivals *now, const struct arrivals *before);

/* Whether any is due. */
bool arrivals_due(const struct arrivals *arrivals);

/* Those to which attaching failed before are due no more. */
void arrivals_give_up(struct arrivals *arrivals);

/*
 * Hears of changes (rtnetlink messages): a device that went has come if it is there at the
 * next look, also if its number is the same.
 */
void arrivals_hear(struct arrivals *arrivals, const void *messages, size_t size);

#endif
