// SPDX-License-Identifier: GPL-2.0-only
#include "compile/evaluate.h"

#include "rules/prefix.h"

/* The last source of a group that has the family of `limit` and does not sort after it. */
static const struct source_entry *last_up_to(const struct image *image, __u32 group,
					     const struct prefix *limit)
{
	const struct source_entry *found;
	size_t begin = 0, end = image->source_count; /* all before `begin` are up to `limit` */

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		const struct source_entry *entry = &image->sources[middle];

		if (entry->group < group ||
		    (entry->group == group && prefix_compare(&entry->prefix, limit) <= 0))
			begin = middle + 1;
		else
			end = middle;
	}
	found = begin ? &image->sources[begin - 1] : NULL;
	return found && found->group == group && found->prefix.family == limit->family ? found
										       : NULL;
}

/*
 * The entry of the longest prefix of the group that contains the source; 0: none does. Sources
 * are sorted, so it is the last prefix up to the source if that contains the source. Otherwise
 * a prefix that contains the source also contains the common prefix of the two.
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

/* A walk through details for one source. */
struct evaluation {
	const struct image *image;
	const struct prefix *source;
	__u64 now; /* nanoseconds since boot */
	__u64 doors; /* bit door - 1 is set: the source has a grant for that door */
	const struct detail *decisive; /* the detail of a rule that answered last */
};

static const struct detail *find_detail(void *context, __u32 index)
{
	const struct evaluation *evaluation = context;

	return &evaluation->image->details[index];
}

static bool applies(const struct evaluation *evaluation, const struct detail *detail)
{
	return (!detail->door || (evaluation->doors >> (detail->door - 1)) & 1) &&
	       (!detail->deadline || evaluation->now < detail->deadline);
}

static entry_t ask_detail(void *context, __u32 flags, const struct detail *detail)
{
	struct evaluation *evaluation = context;

	evaluation->decisive = NULL;
	if (flags == ENTRY_SOURCES)
		return look_up_source(evaluation->image, detail->group, evaluation->source);
	if (flags != ENTRY_RULE || !applies(evaluation, detail))
		return 0;
	evaluation->decisive = detail;
	return detail->entry;
}

entry_t evaluate_detail(const struct image *image, __u32 key, const struct prefix *source,
			__u64 now, __u64 doors, const struct detail **decisive)
{
	struct evaluation evaluation = {
		.image = image, .source = source, .now = now, .doors = doors
	};
	entry_t entry =
		detail_walk(image->table.entries[key], find_detail, ask_detail, &evaluation);

	*decisive = evaluation.decisive;
	return entry;
}

entry_t evaluate_entry(const struct image *image, __u32 key, const struct prefix *source,
		       __u64 now, __u64 doors)
{
	const struct detail *decisive;

	return evaluate_detail(image, key, source, now, doors, &decisive);
}
