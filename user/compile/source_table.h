/* SPDX-License-Identifier: GPL-2.0-only */
/* The sources of an image as the hash table that the data path looks up (struct source_set). */
#ifndef SOURCE_TABLE_H
#define SOURCE_TABLE_H

#include "compile/image.h"
#include "portctl/detail.h"
#include "portctl/source.h"

/* Adds the length of a prefix, which must not be 0, to the lengths of its group. */
void lengths_add(struct lengths *lengths, const struct prefix *prefix);

/* The kind (source_kind()) of a prefix in a group. `lengths` must have its length. */
__u32 lengths_kind(const struct lengths *lengths, __u32 group, const struct prefix *prefix);

/*
 * Makes the table, with a new random secret. Sets *sets, to be freed, to *count sets (NULL
 * and 0 if there are no sources), and what image->table needs: the secret, and how many sets
 * a tag can lead to. Returns 0, -ENOMEM or another negative errno.
 */
int source_table_make(struct image *image, struct source_set **sets, size_t *count);

#endif
