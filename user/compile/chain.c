// SPDX-License-Identifier: GPL-2.0-only
#include "compile/chain.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "compile/source_table.h"
#include "rules/prefix.h"

/* One rule of a chain with one of its sources, or with every source. */
struct candidate {
	struct prefix prefix;
	const struct rule *rule;
	int rank; /* of its port range; the smaller is checked first */
	int bits; /* length of the prefix; -1: every source */
	size_t position; /* in its chain */
};

struct candidates {
	struct candidate *list;
	size_t count;
	size_t room;
};

/* A detail made before, and what it depends on: equal ones are made only once. */
struct known_detail {
	const struct rule *rule;
	entry_t own;
	entry_t next;
	entry_t entry;
};

static int compare_known_details(const void *left, const void *right)
{
	const struct known_detail *a = left, *b = right;

	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	if (a->own != b->own)
		return a->own < b->own ? -1 : 1;
	return a->next < b->next ? -1 : a->next > b->next;
}

/* GCRA, as in bpf/verdict/limit.h: one packet each `interval`, and up to `tolerance` early in a burst. */
static void set_limit(struct detail *detail, const struct rule *rule)
{
	const struct limit *limit = &rule->limit;
	__u64 burst = limit->burst;

	if (!burst) /* the packets of one second, at least one */
		burst = limit->count * 1000000000ull / limit_unit(limit) ?: 1;
	detail->interval = limit_interval(limit);
	detail->tolerance = (burst - 1) * detail->interval;
	detail->limited = entry_make(VERDICT_DROP, 0, rule->limited_line);
	/* Buckets of an older rule with this line must not count: its start tells them apart. */
	if (limit->per_source)
		detail->per_source = rule->since | 1;
}

/*
 * The entry of a rule where it applies. A rule without ports that blocks a source blocks its
 * knocks too (no ENTRY_TOUCH). If a rule drops after a door, connections that were let in
 * through the door must go on after the end of the grant (ENTRY_REPLY).
 */
static entry_t rule_entry(const struct chainer *chainer, const struct rule *rule,
			  bool after_door)
{
	__u32 flags = chainer->closed_flags | (after_door ? ENTRY_REPLY : 0);

	if (rule->action == VERDICT_PASS || !rule->term_count)
		flags = 0;
	return entry_make(rule->action, flags, rule->line);
}

static int rule_detail(struct chainer *chainer, const struct rule *rule, entry_t own,
		       entry_t next, entry_t *entry)
{
	struct known_detail wanted = { .rule = rule, .own = own, .next = next }, *known;
	/* The deadline of a rule that isn't running yet is unknown, but it has one. */
	__u64 unknown = rule->seconds ? ~0ull : 0;
	struct detail detail = {
		.deadline = rule->ends ?: unknown,
		.entry = own,
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
	err = image_add_detail(chainer->image, ENTRY_RULE, &detail, entry);
	known = err ? NULL : malloc(sizeof(*known));
	if (!known)
		return -ENOMEM;
	wanted.entry = *entry;
	*known = wanted;
	return tsearch(known, &chainer->known_details, compare_known_details) ? 0 : -ENOMEM;
}

/* Whether a rule can leave packets that it matches to the next one. */
static bool may_not_apply(const struct rule *rule)
{
	return rule->seconds || rule->knock;
}

/*
 * Notes that too many rules apply one after the other. Rules are an array in the order of
 * the text, so the highest address is the last rule.
 */
static int note_excess(struct chainer *chainer, struct candidate **order, size_t count)
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
 * The entry where these candidates apply, in this order: the first that always applies
 * decides; those before it decide while they apply.
 */
static int resolve(struct chainer *chainer, struct candidate **order, size_t count,
		   entry_t tail, entry_t *entry)
{
	size_t last = 0;
	int err = 0;

	while (last < count && may_not_apply(order[last]->rule))
		last++;
	if (last > DETAIL_ENDING)
		return note_excess(chainer, order, last);
	*entry = tail;
	for (size_t i = last < count ? last + 1 : count; i-- > 0 && !err;) {
		const struct rule *rule = order[i]->rule;
		entry_t own = rule_entry(chainer, rule, has_door(order, i));

		if (chainer->used)
			chainer->used[rule - chainer->ruleset->rules] = 1;
		if (!may_not_apply(rule) && !rule->limit.count)
			*entry = own;
		else
			err = rule_detail(chainer, rule, own, may_not_apply(rule) ? *entry : 0,
					  entry);
	}
	return err;
}

/* The order of checks: port range, longest prefix, doors, a named interface before all. */
static int compare_candidates(const void *left, const void *right)
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
	return a->position < b->position ? -1 : a->position > b->position;
}

/* By prefix, so that prefixes stand before those they contain; every source first. */
static int compare_prefixes(const void *left, const void *right)
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
			.position = candidates->count,
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

/* The candidates that apply to one prefix: a stack. */
struct nest {
	struct candidate **inside; /* those for every source first, then ever longer prefixes */
	struct candidate **order; /* the same in the order of checks */
	size_t count;
};

static int nest_entry(struct chainer *chainer, struct nest *nest, entry_t tail, entry_t *entry)
{
	memcpy(nest->order, nest->inside, nest->count * sizeof(*nest->order));
	qsort(nest->order, nest->count, sizeof(*nest->order), compare_candidates);
	return resolve(chainer, nest->order, nest->count, tail, entry);
}

/*
 * Adds the entry of each prefix of a group. The candidates are sorted, so that those which
 * contain a prefix are on the stack when it comes.
 */
static int add_group(struct chainer *chainer, struct candidates *candidates, struct nest *nest,
		     size_t any_source, entry_t tail, __u32 group)
{
	entry_t entry;
	int err = 0;

	for (size_t i = any_source; i < candidates->count && !err; i++) {
		struct candidate *candidate = &candidates->list[i];

		while (nest->count > any_source &&
		       !prefix_contains(&nest->inside[nest->count - 1]->prefix,
					&candidate->prefix))
			nest->count--;
		nest->inside[nest->count++] = candidate;
		if (i + 1 < candidates->count &&
		    !prefix_compare(&candidate->prefix, &candidates->list[i + 1].prefix))
			continue; /* the same prefix comes again */
		err = nest_entry(chainer, nest, tail, &entry);
		if (!err)
			err = image_add_source(chainer->image, &candidate->prefix, group,
					       entry);
	}
	return err;
}

/* Notes the lengths of the sources from `first` on, and sets their kinds. */
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

/* The entry where all these candidates may apply. One lookup of the source covers them all. */
static int candidates_entry(struct chainer *chainer, struct candidates *candidates,
			    entry_t tail, entry_t *entry)
{
	cleanup_free struct candidate **inside = calloc(candidates->count + 1, sizeof(*inside));
	cleanup_free struct candidate **order = calloc(candidates->count + 1, sizeof(*order));
	struct nest nest = { .inside = inside, .order = order };
	struct detail detail = { 0 };
	size_t any_source, first;
	int err;

	if (!inside || !order)
		return -ENOMEM;
	qsort(candidates->list, candidates->count, sizeof(*candidates->list), compare_prefixes);
	while (nest.count < candidates->count && candidates->list[nest.count].bits < 0) {
		inside[nest.count] = &candidates->list[nest.count];
		nest.count++;
	}
	any_source = nest.count;
	err = nest_entry(chainer, &nest, tail, entry);
	if (err || any_source == candidates->count)
		return err;
	detail.group = chainer->groups++;
	detail.next = *entry;
	first = chainer->image->source_count;
	err = add_group(chainer, candidates, &nest, any_source, tail, detail.group);
	set_lengths(chainer->image, first, &detail);
	return err ?: image_add_detail(chainer->image, ENTRY_SOURCES, &detail, entry);
}

/*
 * The detail of the rules without ports, which looks up their sources. Its `next` is not set.
 * Returns 1, 0 if there are no such rules, -ENOMEM or -E2BIG.
 */
static int portless_detail(struct chainer *chainer, struct detail *detail)
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

/* Entries that differ get a detail each: it has the entry as its `next`. */
static int put_before_all(struct chainer *chainer, struct detail *detail)
{
	entry_t *entries = chainer->image->table.entries;
	entry_t before = 0, wrapped = 0;

	for (__u32 key = 0; key < KEYS_USED; key++) {
		int err;

		if (key == KEY_NOT_IP || key == KEY_MALFORMED)
			continue;
		if (!wrapped || entries[key] != before) {
			before = detail->next = entries[key];
			err = image_add_detail(chainer->image, ENTRY_SOURCES, detail, &wrapped);
			if (err)
				return err;
		}
		entries[key] = wrapped;
	}
	return 0;
}

int chain_portless(struct chainer *chainer)
{
	struct detail detail;
	int err = portless_detail(chainer, &detail);

	return err <= 0 ? err : put_before_all(chainer, &detail);
}

/* The entry of a chain seen before: keys far apart can have the same chain. */
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

static int resolve_chain(struct chainer *chainer, const struct chain *chain, entry_t *entry)
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

/* Fast path: most keys have no rule, or one that always applies. */
static bool simple_entry(struct chainer *chainer, const struct chain *chain, entry_t *entry)
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

	if (simple_entry(chainer, chain, entry))
		return 0;
	found = tfind(chain, &chainer->known_chains, compare_known_chains);
	if (found) {
		*entry = (*found)->entry;
		return 0;
	}
	err = resolve_chain(chainer, chain, entry);
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
