// SPDX-License-Identifier: GPL-2.0-only
#include "evaluate.h"

#include "prefix.h"

/* The longest prefix of the group. */
static entry_t look_up_source(const struct image *image, __u32 group,
			      const struct prefix *source)
{
	const struct source_entry *best = NULL;

	for (size_t i = 0; i < image->source_count; i++) {
		const struct source_entry *entry = &image->sources[i];

		if (entry->group == group && prefix_contains(&entry->prefix, source) &&
		    (!best || entry->prefix.length > best->prefix.length))
			best = entry;
	}
	return best ? best->entry : 0;
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

entry_t evaluate_entry(const struct image *image, __u32 key, const struct prefix *source,
		       __u64 now, __u64 doors)
{
	entry_t entry = image->table.entries[key];
	entry_t pending = 0; /* what comes after the sources asked last */

	for (int i = 0; i < DETAIL_STEPS && entry_leads_on(entry); i++) {
		const struct detail *detail = &image->details[entry_line(entry)];
		__u32 flags = entry_flags(entry);

		entry = ask(image, flags, detail, source, now, doors);
		if (!entry)
			entry = detail->next ?: pending;
		if (flags == ENTRY_SOURCES)
			pending = detail->next;
	}
	return entry_leads_on(entry) ? 0 : entry;
}

enum verdict evaluate(const struct image *image, __u32 key, const struct prefix *source,
		      __u64 now)
{
	return entry_verdict(evaluate_entry(image, key, source, now, 0));
}
