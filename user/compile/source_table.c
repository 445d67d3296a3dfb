// SPDX-License-Identifier: GPL-2.0-only
#include "compile/source_table.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "portctl/source.h"
#include "base/cleanup.h"

/* Half of SOURCE_WAYS: then hardly any set is full and continues in the next. */
#define TAGS_IN_SET 2.5

void lengths_add(struct lengths *lengths, const struct prefix *prefix)
{
	if (prefix->family == 4)
		lengths->ipv4 |= 1ull << (32 - prefix->length);
	else if (prefix->length > 64)
		lengths->ipv6[0] |= 1ull << (128 - prefix->length);
	else
		lengths->ipv6[1] |= 1ull << (64 - prefix->length);
}

/* Counts the bits below this one, which are the longer lengths. */
static __u32 count_longer(__u64 lengths, unsigned int bit)
{
	return __builtin_popcountll(lengths & ((1ull << bit) - 1));
}

__u32 lengths_kind(const struct lengths *lengths, __u32 group, const struct prefix *prefix)
{
	bool ipv6 = prefix->family == 6;
	__u32 longer = 0;

	if (!ipv6)
		longer = count_longer(lengths->ipv4, 32 - prefix->length);
	else if (prefix->length > 64)
		longer = count_longer(lengths->ipv6[0], 128 - prefix->length);
	else if (prefix->length)
		longer = __builtin_popcountll(lengths->ipv6[0]) +
			 count_longer(lengths->ipv6[1], 64 - prefix->length);
	return source_kind(group, ipv6, longer);
}

/* The tag of a prefix, whose length must not be 0: a detail holds those (any4, any6). */
static __u64 tag_of(const __u64 *secret, const struct source_entry *source)
{
	const __u8 *address = source->prefix.address;
	__be64 halves[2];

	if (source->prefix.family == 4)
		return source_tag(secret, source->kind, 0,
				  (__u32)address[0] << 24 | address[1] << 16 | address[2] << 8 |
					  address[3]);
	memcpy(halves, address, sizeof(halves));
	return source_tag(secret, source->kind, be64toh(halves[0]), be64toh(halves[1]));
}

/* Puts a tag into the set at `index` or one of the next; false if all of them are full. */
static bool put_tag(struct source_set *sets, __u32 index, __u64 tag, entry_t entry)
{
	for (int hop = 0; hop < SOURCE_HOPS; hop++) {
		struct source_set *set = &sets[index + hop];

		for (int i = 0; i < SOURCE_WAYS; i++) {
			/* A used way has a tag or an entry. */
			if (set->tags[i] || set->entries[i])
				continue;
			set->tags[i] = tag;
			set->entries[i] = entry;
			return true;
		}
		set->goes_on = 1;
	}
	return false;
}

static bool fill_sets(const struct image *image, struct source_set *sets, __u32 count)
{
	for (size_t i = 0; i < image->source_count; i++) {
		const struct source_entry *source = &image->sources[i];
		__u64 tag;

		if (!source->prefix.length)
			continue;
		tag = tag_of(image->table.source_secret, source);
		if (!put_tag(sets, source_index(tag, count), tag, source->entry))
			return false;
	}
	return true;
}

int source_table_make(struct image *image, struct source_set **sets, size_t *count)
{
	__u32 wanted = image->source_count / TAGS_IN_SET + 1;

	*sets = NULL;
	*count = 0;
	if (!image->source_count)
		return 0;
	for (;; wanted *= 2) {
		cleanup_free struct source_set *made =
			aligned_alloc(sizeof(*made), (wanted + SOURCE_HOPS) * sizeof(*made));

		if (!made)
			return -ENOMEM;
		if (getrandom(image->table.source_secret, sizeof(image->table.source_secret),
			      0) < 0)
			return -errno;
		memset(made, 0, (wanted + SOURCE_HOPS) * sizeof(*made));
		if (!fill_sets(image, made, wanted))
			continue;
		image->table.source_sets = wanted;
		*count = wanted + SOURCE_HOPS;
		*sets = TAKE_PTR(made);
		return 0;
	}
}
