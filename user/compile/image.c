// SPDX-License-Identifier: GPL-2.0-only
#include "compile/image.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

void image_clear(struct image *image)
{
	free(image->details);
	free(image->sources);
	image->details = NULL;
	image->sources = NULL;
}

int image_add_detail(struct image *image, __u32 flags, const struct detail *detail,
		     entry_t *entry)
{
	int err = array_reserve(&image->details, &image->detail_room, image->detail_count,
				sizeof(*detail));

	if (err)
		return err;
	if (image->detail_count > ENTRY_LINE >> 3) /* the index has to fit into an entry */
		return -ENOMEM;
	*entry = entry_make(VERDICT_DROP, flags, image->detail_count);
	image->details[image->detail_count++] = *detail;
	return 0;
}

int image_add_source(struct image *image, const struct prefix *prefix, __u32 group,
		     entry_t entry)
{
	int err = array_reserve(&image->sources, &image->source_room, image->source_count,
				sizeof(*image->sources));

	if (!err)
		image->sources[image->source_count++] =
			(struct source_entry){ *prefix, group, 0, entry };
	return err;
}
