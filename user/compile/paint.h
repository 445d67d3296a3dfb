/* SPDX-License-Identifier: GPL-2.0-only */
/* Which levels of claims apply to each key: its chain. Part of compile(). */
#ifndef PAINT_H
#define PAINT_H

#include "compile/chain.h"

/*
 * The chain of a key is the list of levels that apply to it, up to the one that closes it.
 * Most keys have one level or none. The painter stores a chain as its last link, so that
 * chains share their beginnings, and neighbouring keys with one chain have the same link.
 */
struct link {
	const struct level *level;
	__u32 before; /* index of the link before; link 0 is the empty chain */
	__u32 count; /* levels in the chain up to here */
};

#define NO_LINK (~0u)

/*
 * Gives levels to the keys they claim, the most specific level first. A closed key takes no
 * more. `closed` is the distance to a later key, 0 if this key is not closed: following it
 * leads to the first key that is not closed, and shortens the path (union-find). So the time
 * for a level hardly depends on how many keys it claims.
 */
struct painter {
	struct link *links;
	size_t count;
	size_t room;
	__u32 last[KEY_NOT_IP]; /* each key's last link */
	__u32 closed[KEY_NOT_IP + 1];
	struct excess *excess;
};

/* Attribute: frees a painter, or NULL, at the end of its scope. */
#define cleanup_painter __attribute__((cleanup(painter_free)))

/*
 * Makes a painter with a chain for each key that the claims name. Sets *excess for -E2BIG.
 * Returns 0, -ENOMEM or -E2BIG; *painter is to be freed in each case.
 */
int painter_make(struct painter **painter, const struct claims *claims, struct excess *excess);
void painter_free(struct painter **painter);

/* Copies the chain of a key, without its tail. */
void painter_chain(const struct painter *painter, __u32 key, struct chain *chain);

#endif
