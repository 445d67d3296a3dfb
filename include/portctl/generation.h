/* SPDX-License-Identifier: GPL-2.0-only */
/* Generations: a compiled ruleset, as one interface holds it. */
#ifndef PORTCTL_GENERATION_H
#define PORTCTL_GENERATION_H

#include "portctl/entry.h"
#include "portctl/key.h"
#include "portctl/knock.h"
#include "portctl/source.h"

/*
 * An interface has two of these slots. Packets are judged by slot `control.generation & 1`
 * (control.h). The details and sources of a slot are in maps of their own.
 */
struct generation {
	entry_t entries[KEYS];
	__u64 steps[PORT_KEYS / 64]; /* bit key & 63 of element key / 64: a step of a sequence,
				      * or the port of signed knocks */
	__u32 door_count; /* the highest number of a door */
	__u32 source_sets; /* sets that a tag can hash to */
	__u64 source_secret[SOURCE_SECRETS]; /* random: the secret of source_tag() */
	struct door doors[MAX_DOORS]; /* door 1 first */
};

_Static_assert(sizeof(struct generation) == 4 * KEYS + PORT_KEYS / 8 + 8 + 8 * SOURCE_SECRETS +
						    MAX_DOORS * sizeof(struct door),
	       "struct generation");

#endif
