/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the claims on a key to its entry: the details that a packet is sent through, and the
 * entries of sources. Part of compile().
 */
#ifndef CHAIN_H
#define CHAIN_H

#include "compile/claims.h"
#include "compile/image.h"
#include "portctl/detail.h"
#include "portctl/entry.h"
#include "rules/ruleset.h"

/* The levels that apply to a key, the most specific first, and the entry after the last. */
struct chain {
	entry_t tail;
	const struct level *levels[CHAIN_MAX];
	size_t count;
};

/* The state of one compilation that is the same for all keys. */
struct chainer {
	const struct ruleset *ruleset;
	const char *iface;
	struct image *image;
	unsigned char *used; /* 1 for each rule that decides something; or NULL */
	__u32 closed_flags; /* flags of entries that let nothing in: ENTRY_TOUCH or 0 */
	__u32 groups; /* source groups used so far */
	void *known_chains; /* search trees (tsearch(3)) of what was made before */
	void *known_details;
};

/* Makes the entry of a key with that chain. Returns 0, -ENOMEM or -E2BIG. */
int chain_entry(struct chainer *chainer, const struct chain *chain, entry_t *entry);

/*
 * Puts the rules without ports before the entries of all IP packets, which must be set.
 * Returns 0, -ENOMEM or -E2BIG.
 */
int chain_portless(struct chainer *chainer);

/* Frees what a chainer holds; image, ruleset and `used` are the caller's. */
void chainer_clear(struct chainer *chainer);

#endif
