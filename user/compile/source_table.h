/* SPDX-License-Identifier: GPL-2.0-only */
/* Sources as the data path looks them up (struct source_set), and the lengths it looks for. */
#ifndef SOURCE_TABLE_H
#define SOURCE_TABLE_H

#include "compile/compile.h"
#include "portctl/detail.h"
#include "portctl/source.h"

/* Adds the length of a prefix, which is not 0. */
void lengths_add(struct lengths *lengths, const struct prefix *prefix);

/* The kind (source_kind()) of a prefix whose group has these lengths, its own among them. */
__u32 lengths_kind(const struct lengths *lengths, __u32 group, const struct prefix *prefix);

/*
 * Makes the table of an image's sources. *sets is to be freed, and has *count sets; NULL
 * and 0 where there are no sources. Fills in what image->table says of it: a new secret,
 * and how many sets a tag can lead to. Returns 0, -ENOMEM or another negative errno.
 */
int source_table_make(struct image *image, struct source_set **sets, size_t *count);

#endif
