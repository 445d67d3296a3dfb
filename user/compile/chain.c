// SPDX-License-Identifier: GPL-2.0-only
#include "compile/chain.h"

#include <errno.h>
#include <search.h>
#include <string.h>

#include "rules/prefix.h"
#include "compile/source_table.h"
#include "base/array.h"
#include "base/cleanup.h"

/* One rule at one prefix (or for everybody), as one chain asks for it. */
struct candidate {
	struct prefix prefix;
	const struct rule *rule;
	int rank; /* of its level in the chain; the smaller is asked first */
	int bits; /* of its prefix; -1: everybody */
	size_t place; /* among the claims of its chain */
};

struct candidates {
	struct candidate *list;
	size_t count;
	size_t room;
};

int detail_add(struct image *image, __u32 flags, const struct detail *detail, entry_t *entry)
{
	int err = array_reserve(&image->details, &image->detail_room, image->detail_count,
				sizeof(*detail));

	if (err)
		return err;
	if (image->detail_count > ENTRY_LINE >> 3) /* no entry could say which */
		return -ENOMEM;
	*entry = entry_make(VERDICT_DROP, flags, image->detail_count);
	image->details[image->detail_count++] = *detail;
	return 0;
}

/* A detail that was made: it is made once for what a rule says before the same next. */
struct known_detail {
	const struct rule *rule;
	entry_t says;
	entry_t next;
	entry_t entry;
};

static int compare_known_details(const void *left, const void *right)
{
	const struct known_detail *a = left, *b = right;

	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	if (a->says != b->says)
		return a->says < b->says ? -1 : 1;
	return a->next < b->next ? -1 : a->next > b->next;
}

/* GCRA: one packet each `interval`, and `tolerance` early for a burst. */
static void set_limit(struct detail *detail, const struct rule *rule)
{
	const struct limit *limit = &rule->limit;
	__u64 burst = limit->burst;

	if (!burst) /* as many as in a second, at least one */
		burst = limit->count * 1000000000ull / limit_unit(limit) ?: 1;
	detail->interval = limit_interval(limit);
	detail->tolerance = (burst - 1) * detail->interval;
	detail->limited = entry_make(VERDICT_DROP, 0, rule->limited_line);
	if (limit->per_source) /* never 0; by when the rule began, it is no other rule's */
		detail->per_source = rule->since | 1;
}

/*
 * What a rule says where it applies. Whom one without ports keeps out is not heard at
 * all; behind a door are those who came in by it before, and their connections go on.
 */
static entry_t rule_entry(const struct chainer *chainer, const struct rule *rule,
			  bool behind_door)
{
	__u32 marks = chainer->shut | (behind_door ? ENTRY_REPLY : 0);

	if (rule->action == VERDICT_PASS || !rule->term_count)
		marks = 0;
	return entry_make(rule->action, marks, rule->line);
}

static int rule_detail(struct chainer *chainer, const struct rule *rule, entry_t says,
		       entry_t next, entry_t *entry)
{
	struct known_detail wanted = { .rule = rule, .says = says, .next = next }, *known;
	/* Of a rule that does not run yet nobody knows when it ends, but that it does. */
	__u64 some_time = rule->seconds ? ~0ull : 0;
	struct detail detail = {
		.deadline = rule->ends ?: some_time,
		.entry = says,
		.next = next,
		.door = rule->knock ? rule->door : 0,
	};
	struct known_detail **found =
		tfind(&wanted, &chainer->known_details, compare_known_details);
	int err;

	if (found) {
		*entry = (*found)->entry;
		return 0;
	}
	if (rule->limit.count)
		set_limit(&detail, rule);
	err = detail_add(chainer->image, ENTRY_RULE, &detail, entry);
	known = err ? NULL : malloc(sizeof(*known));
	if (!known)
		return -ENOMEM;
	wanted.entry = *entry;
	*known = wanted;
	return tsearch(known, &chainer->known_details, compare_known_details) ? 0 : -ENOMEM;
}

/* Whether a rule leaves packets that it is for to the next one. */
static bool leaves_some(const struct rule *rule)
{
	return rule->seconds || rule->knock;
}

/* Rules stand in an array: the later one is further on in the text. */
static int exceed(struct chainer *chainer, struct candidate **order, size_t count)
{
	struct excess *excess = &chainer->image->excess;

	*excess = (struct excess){ .key = KEYS };
	for (size_t i = 0; i < count; i++) {
		if (!excess->rule || order[i]->rule > excess->rule)
			excess->rule = order[i]->rule;
	}
	return -E2BIG;
}

static bool has_door(struct candidate **order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (order[i]->rule->knock)
			return true;
	}
	return false;
}

/*
 * The entry where these candidates apply, in this order: the first that does
 * not end decides, those before it as long as they last.
 */
static int resolve(struct chainer *chainer, struct candidate **order, size_t count,
		   entry_t tail, entry_t *entry)
{
	size_t last = 0;
	int err = 0;

	while (last < count && leaves_some(order[last]->rule))
		last++;
	if (last > DETAIL_ENDING)
		return exceed(chainer, order, last);
	*entry = tail;
	for (size_t i = last < count ? last + 1 : count; i-- > 0 && !err;) {
		const struct rule *rule = order[i]->rule;
		entry_t says = rule_entry(chainer, rule, has_door(order, i));

		if (chainer->used)
			chainer->used[rule - chainer->ruleset->rules] = 1;
		if (!leaves_some(rule) && !rule->limit.count)
			*entry = says;
		else
			err = rule_detail(chainer, rule, says, leaves_some(rule) ? *entry : 0,
					  entry);
	}
	return err;
}

/* In the order they are asked at one place: range, longest prefix, doors, named first. */
static int compare_order(const void *left, const void *right)
{
	const struct candidate *a = *(struct candidate *const *)left;
	const struct candidate *b = *(struct candidate *const *)right;

	if (a->rank != b->rank)
		return a->rank - b->rank;
	if (a->bits != b->bits)
		return b->bits - a->bits;
	if (!a->rule->knock != !b->rule->knock)
		return !a->rule->knock - !b->rule->knock;
	if (!*a->rule->iface != !*b->rule->iface)
		return !*a->rule->iface - !*b->rule->iface;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* By prefix, so that those which contain one stand before it; everybody first. */
static int compare_place(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->bits < 0 || b->bits < 0)
		return (b->bits < 0) - (a->bits < 0);
	return prefix_compare(&a->prefix, &b->prefix);
}

static int add_candidates(struct candidates *candidates, const struct rule *rule, int rank)
{
	size_t count = rule->source_count ?: 1;

	for (size_t i = 0; i < count; i++) {
		struct candidate candidate = {
			.rule = rule,
			.rank = rank,
			.bits = -1,
			.place = candidates->count,
		};

		if (array_reserve(&candidates->list, &candidates->room, candidates->count,
				  sizeof(candidate)))
			return -ENOMEM;
		if (rule->source_count) {
			candidate.prefix = rule->sources[i];
			candidate.bits = candidate.prefix.length;
		}
		candidates->list[candidates->count++] = candidate;
	}
	return 0;
}

static int add_source(struct image *image, const struct prefix *prefix, __u32 group,
		      entry_t entry)
{
	int err = array_reserve(&image->sources, &image->source_room, image->source_count,
				sizeof(*image->sources));

	if (!err)
		image->sources[image->source_count++] =
			(struct source_entry){ *prefix, group, 0, entry };
	return err;
}

/* The candidates that apply at one place, from the outermost in. */
struct nest {
	struct candidate **inside; /* by containment, those for everybody first */
	struct candidate **order; /* the same, as they are asked */
	size_t count;
};

static int nest_entry(struct chainer *chainer, struct nest *nest, entry_t tail, entry_t *entry)
{
	memcpy(nest->order, nest->inside, nest->count * sizeof(*nest->order));
	qsort(nest->order, nest->count, sizeof(*nest->order), compare_order);
	return resolve(chainer, nest->order, nest->count, tail, entry);
}

/* One prefix after the other, with those that contain it on a stack. */
static int add_group(struct chainer *chainer, struct candidates *candidates, struct nest *nest,
		     size_t everybody, entry_t tail, __u32 group)
{
	entry_t entry;
	int err = 0;

	for (size_t i = everybody; i < candidates->count && !err; i++) {
		struct candidate *candidate = &candidates->list[i];

		while (nest->count > everybody &&
		       !prefix_contains(&nest->inside[nest->count - 1]->prefix,
					&candidate->prefix))
			nest->count--;
		nest->inside[nest->count++] = candidate;
		if (i + 1 < candidates->count &&
		    !prefix_compare(&candidate->prefix, &candidates->list[i + 1].prefix))
			continue; /* more of the same prefix come */
		err = nest_entry(chainer, nest, tail, &entry);
		if (!err)
			err = add_source(chainer->image, &candidate->prefix, group, entry);
	}
	return err;
}

/* Which lengths the prefixes have, those from `first` on, and so of which kind they are. */
static void set_lengths(struct image *image, size_t first, struct detail *detail)
{
	for (size_t i = first; i < image->source_count; i++) {
		const struct source_entry *source = &image->sources[i];

		if (source->prefix.length)
			lengths_add(&detail->lengths, &source->prefix);
		else if (source->prefix.family == 4)
			detail->any4 = source->entry;
		else
			detail->any6 = source->entry;
	}
	for (size_t i = first; i < image->source_count; i++)
		image->sources[i].kind = lengths_kind(&detail->lengths, detail->group,
						      &image->sources[i].prefix);
}

/*
 * The entry of a place where all these candidates are asked: one look-up of the
 * source answers for all of them together.
 */
static int candidates_entry(struct chainer *chainer, struct candidates *candidates,
			    entry_t tail, entry_t *entry)
{
	cleanup_free struct candidate **inside = calloc(candidates->count + 1, sizeof(*inside));
	cleanup_free struct candidate **order = calloc(candidates->count + 1, sizeof(*order));
	struct nest nest = { .inside = inside, .order = order };
	struct detail detail = { 0 };
	size_t everybody, first;
	int err;

	if (!inside || !order)
		return -ENOMEM;
	qsort(candidates->list, candidates->count, sizeof(*candidates->list), compare_place);
	while (nest.count < candidates->count && candidates->list[nest.count].bits < 0) {
		inside[nest.count] = &candidates->list[nest.count];
		nest.count++;
	}
	everybody = nest.count;
	err = nest_entry(chainer, &nest, tail, entry);
	if (err || everybody == candidates->count)
		return err;
	detail.group = chainer->groups++;
	detail.next = *entry;
	first = chainer->image->source_count;
	err = add_group(chainer, candidates, &nest, everybody, tail, detail.group);
	set_lengths(chainer->image, first, &detail);
	return err ?: detail_add(chainer->image, ENTRY_SOURCES, &detail, entry);
}

int portless_detail(struct chainer *chainer, struct detail *detail)
{
	const struct ruleset *ruleset = chainer->ruleset;
	struct candidates candidates = { 0 };
	entry_t entry;
	int err = 0;

	for (size_t i = 0; i < ruleset->count && !err; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (!rule->term_count &&
		    (!*rule->iface || !strcmp(rule->iface, chainer->iface)))
			err = add_candidates(&candidates, rule, 0);
	}
	if (!err && candidates.count) {
		err = candidates_entry(chainer, &candidates, 0, &entry) ?: 1;
		if (err > 0)
			*detail = chainer->image->details[entry_line(entry)];
	}
	free(candidates.list);
	return err;
}

/* A chain that was seen before: keys far apart can have the same. */
struct known_chain {
	struct chain chain;
	entry_t entry;
};

static int compare_known_chains(const void *left, const void *right)
{
	const struct chain *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	if (a->tail != b->tail)
		return a->tail < b->tail ? -1 : 1;
	return memcmp(a->levels, b->levels, a->count * sizeof(*a->levels));
}

static int make_entry(struct chainer *chainer, const struct chain *chain, entry_t *entry)
{
	struct candidates candidates = { 0 };
	int err = 0, rank = 0;

	for (size_t l = 0; l < chain->count; l++) {
		const struct level *level = chain->levels[l];

		if (l &&
		    level->claims->specificity != chain->levels[l - 1]->claims->specificity)
			rank++;
		for (size_t i = 0; i < level->count && !err; i++)
			err = add_candidates(&candidates, level->claims[i].rule, rank);
	}
	if (!err)
		err = candidates_entry(chainer, &candidates, chain->tail, entry);
	free(candidates.list);
	return err;
}

/* Most keys have no rule, or one that is the whole answer. */
static bool plain_entry(struct chainer *chainer, const struct chain *chain, entry_t *entry)
{
	const struct level *level = chain->levels[0];
	const struct rule *rule;

	*entry = chain->tail;
	if (!chain->count)
		return true;
	rule = level->claims->rule;
	if (!level->closes || level->count > 1 || chain->count > 1 || rule->limit.count)
		return false;
	if (chainer->used)
		chainer->used[rule - chainer->ruleset->rules] = 1;
	*entry = rule_entry(chainer, rule, false);
	return true;
}

int chain_entry(struct chainer *chainer, const struct chain *chain, entry_t *entry)
{
	struct known_chain **found, *known;
	int err;

	if (plain_entry(chainer, chain, entry))
		return 0;
	found = tfind(chain, &chainer->known_chains, compare_known_chains);
	if (found) {
		*entry = (*found)->entry;
		return 0;
	}
	err = make_entry(chainer, chain, entry);
	known = err ? NULL : malloc(sizeof(*known));
	if (!known)
		return err ?: -ENOMEM;
	*known = (struct known_chain){ *chain, *entry };
	return tsearch(known, &chainer->known_chains, compare_known_chains) ? 0 : -ENOMEM;
}

void chainer_clear(struct chainer *chainer)
{
	tdestroy(chainer->known_chains, free);
	tdestroy(chainer->known_details, free);
}
