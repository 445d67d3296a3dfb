/* SPDX-License-Identifier: GPL-2.0-only */
/* The map image: what a ruleset becomes on one interface, before it is put into BPF maps. */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "portctl/detail.h"
#include "portctl/entry.h"
#include "portctl/generation.h"
#include "rules/rule.h"

/* The most levels of claims that can apply to one key, one after the other. */
#define CHAIN_MAX 12

/* The entry that packets from one prefix get in one group of sources. */
struct source_entry {
	struct prefix prefix;
	__u32 group;
	__u32 kind; /* source_kind() of the prefix in its group */
	entry_t entry;
};

/* Where more rules apply one after the other than a packet can be checked against. */
struct excess {
	const struct rule *rule; /* the one furthest down in the text; NULL: no excess */
	__u32 key; /* where it happens; KEYS: among rules without ports */
};

struct image {
	struct generation table; /* an entry for each key, doors, and what sources need */
	struct detail *details; /* what entries with a flag lead to, by index */
	size_t detail_count;
	size_t detail_room;
	struct source_entry *sources; /* by group, and in a group by prefix_compare() */
	size_t source_count;
	size_t source_room;
	struct excess excess; /* the reason for -E2BIG from compile() */
};

/* Frees what an image holds. */
void image_clear(struct image *image);

/* Attribute: clears an image, which must be zeroed or compiled, at the end of its scope. */
#define cleanup_image __attribute__((cleanup(image_clear)))

/*
 * Adds a detail and makes *entry lead to it with `flags` (enum entry_flag). Returns 0 or
 * -ENOMEM.
 */
int image_add_detail(struct image *image, __u32 flags, const struct detail *detail,
		     entry_t *entry);

/* Adds the entry of one prefix in a group. Returns 0 or -ENOMEM. */
int image_add_source(struct image *image, const struct prefix *prefix, __u32 group,
		     entry_t entry);

#endif
