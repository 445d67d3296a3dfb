/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the levels that claim a key to its entry: the details a packet is sent
 * through, and what is said about sources. Part of compile().
 */
#ifndef CHAIN_H
#define CHAIN_H

#include "compile/claims.h"
#include "compile/compile.h"
#include "portctl/detail.h"
#include "portctl/entry.h"

/* What is asked about a key, one after the other, and what it has in the end. */
struct chain {
	entry_t tail;
	const struct level *levels[CHAIN_MAX];
	size_t count;
};

/* What is the same for all keys of one compilation. */
struct chainer {
	const struct ruleset *ruleset;
	const char *iface;
	struct image *image;
	unsigned char *used; /* or NULL */
	__u32 shut; /* marks of entries that let nothing in: ENTRY_TOUCH, if there are doors */
	__u32 groups; /* numbers of source groups given so far */
	void *known_chains; /* trees (tsearch) of what was made before */
	void *known_details;
};

/* The entry of a key with that chain. Returns 0, -ENOMEM or -E2BIG. */
int chain_entry(struct chainer *chainer, const struct chain *chain, entry_t *entry);

/* Adds a detail that an entry with `flags` (enum entry_flag) leads to. Or -ENOMEM. */
int detail_add(struct image *image, __u32 flags, const struct detail *detail, entry_t *entry);

/*
 * The detail of the rules without ports, which leads to their sources. Returns 1, 0 if
 * there are none, or -ENOMEM or -E2BIG. Where none applies, its answer is `next`.
 */
int portless_detail(struct chainer *chainer, struct detail *detail);

/* The entries of the lifelines, as the options have them. */
int fill_lifelines(struct chainer *chainer);

/* Puts rules without ports before everything else that an IP packet is asked. */
int wrap_portless(struct chainer *chainer);

void chainer_clear(struct chainer *chainer);

#endif
