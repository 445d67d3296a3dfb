// SPDX-License-Identifier: GPL-2.0-only
#include "compile/evaluate.h"

#include "rules/prefix.h"

/* The last source of the group, and of the family, that does not stand behind a place. */
static const struct source_entry *last_up_to(const struct image *image, __u32 group,
					     const struct prefix *place)
{
	const struct source_entry *found;
	size_t begin = 0, end = image->source_count; /* all before `begin` are up to it */

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		const struct source_entry *entry = &image->sources[middle];

		if (entry->group < group ||
		    (entry->group == group && prefix_compare(&entry->prefix, place) <= 0))
			begin = middle + 1;
		else
			end = middle;
	}
	found = begin ? &image->sources[begin - 1] : NULL;
	return found && found->group == group && found->prefix.family == place->family ? found
										       : NULL;
}

/*
 * The longest prefix of the group. Sources are in order, so it is the last one up to the
 * source that contains it; and what contains it, but not the last one, contains what the
 * two have in common.
 */
static entry_t look_up_source(const struct image *image, __u32 group,
			      const struct prefix *source)
{
	const struct source_entry *last = last_up_to(image, group, source);

	while (last && !prefix_contains(&last->prefix, source)) {
		struct prefix common = prefix_common(&last->prefix, source);

		last = last_up_to(image, group, &common);
	}
	return last ? last->entry : 0;
}

static entry_t ask(const struct image *image, __u32 flags, const struct detail *detail,
		   const struct prefix *source, __u64 now, __u64 doors)
{
	if (flags == ENTRY_SOURCES)
		return look_up_source(image, detail->group, source);
	if (flags == ENTRY_RULE && (!detail->door || doors >> (detail->door - 1) & 1) &&
	    (!detail->deadline || now < detail->deadline))
		return detail->entry;
	return 0;
}

entry_t evaluate_detail(const struct image *image, __u32 key, const struct prefix *source,
			__u64 now, __u64 doors, const struct detail **decisive)
{
	entry_t entry = image->table.entries[key];
	entry_t pending = 0; /* what comes after the sources asked last */

	*decisive = NULL;
	for (int i = 0; i < DETAIL_STEPS && entry_has_detail(entry); i++) {
		const struct detail *detail = &image->details[entry_line(entry)];
		__u32 flags = entry_flags(entry);

		entry = ask(image, flags, detail, source, now, doors);
		*decisive = entry && flags == ENTRY_RULE ? detail : NULL;
		if (!entry)
			entry = detail->next ?: pending;
		if (flags == ENTRY_SOURCES)
			pending = detail->next;
	}
	return entry_has_detail(entry) ? 0 : entry;
}

entry_t evaluate_entry(const struct image *image, __u32 key, const struct prefix *source,
		       __u64 now, __u64 doors)
{
	const struct detail *decisive;

	return evaluate_detail(image, key, source, now, doors, &decisive);
}

enum verdict evaluate(const struct image *image, __u32 key, const struct prefix *source,
		      __u64 now)
{
	return entry_verdict(evaluate_entry(image, key, source, now, 0));
}
