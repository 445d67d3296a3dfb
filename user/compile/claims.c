// SPDX-License-Identifier: GPL-2.0-only
#include "compile/claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/prefix.h"

/* The narrower range is more specific, then one protocol rather than both. */
static struct claim make_claim(const struct rule *rule, const struct term *term)
{
	__u32 width = term->last - term->first;
	__u32 both = term->transports == TRANSPORT_BOTH;

	return (struct claim){ rule, *term, width << 1 | both };
}

/* Whether a rule applies to every source. */
static bool is_for_all(const struct rule *rule)
{
	return !rule->source_count && !rule->knock;
}

/* Orders claims; 0: they belong to one level. Rules with sources or a knock come first. */
static int compare_levels(const struct claim *a, const struct claim *b)
{
	if (a->specificity != b->specificity)
		return a->specificity < b->specificity ? -1 : 1;
	if (is_for_all(a->rule) != is_for_all(b->rule))
		return is_for_all(a->rule) - is_for_all(b->rule);
	/* A rule for every source closes its keys, so one that names the interface comes first. */
	if (is_for_all(a->rule) && !*a->rule->iface != !*b->rule->iface)
		return !*a->rule->iface - !*b->rule->iface;
	if (a->term.transports != b->term.transports)
		return a->term.transports - b->term.transports;
	if (a->term.protocol != b->term.protocol)
		return a->term.protocol - b->term.protocol;
	return a->term.first - b->term.first;
}

static int compare_claims(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare_levels(a, b);

	if (!order)
		order = strcmp(b->rule->iface, a->rule->iface); /* named interfaces first */
	if (!order) /* rules are an array in the order of the text */
		order = a->rule < b->rule ? -1 : a->rule > b->rule;
	return order;
}

static int collect_claims(struct claims *claims, const struct ruleset *ruleset,
			  const char *iface)
{
	size_t room = 0;

	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (iface && *rule->iface && strcmp(rule->iface, iface))
			continue;
		for (size_t t = 0; t < rule->term_count; t++) {
			if (array_reserve(&claims->list, &room, claims->count,
					  sizeof(*claims->list)))
				return -ENOMEM;
			claims->list[claims->count++] = make_claim(rule, &rule->terms[t]);
		}
	}
	array_sort(claims->list, claims->count, sizeof(*claims->list), compare_claims);
	return 0;
}

static int find_levels(struct claims *claims)
{
	struct level *level = NULL;

	claims->levels = calloc(claims->count + 1, sizeof(*claims->levels));
	if (!claims->levels)
		return -ENOMEM;
	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *claim = &claims->list[i];

		if (!level || compare_levels(level->claims, claim)) {
			level = &claims->levels[claims->level_count++];
			level->claims = claim;
		}
		level->count++;
		level->closes |= is_for_all(claim->rule) && !claim->rule->seconds;
	}
	return 0;
}

int claims_collect(struct claims *claims, const struct ruleset *ruleset, const char *iface)
{
	*claims = (struct claims){ 0 };
	return collect_claims(claims, ruleset, iface) ?: find_levels(claims);
}

void claims_clear(struct claims *claims)
{
	free(claims->list);
	free(claims->levels);
}

static int compare_sources(const struct prefix *a, const struct prefix *b)
{
	if (!a || !b)
		return !a - !b;
	return prefix_compare(a, b);
}

int wants_compare(const struct want *a, const struct want *b)
{
	int order;

	if (a->specificity != b->specificity)
		return a->specificity < b->specificity ? -1 : 1;
	/* A door comes before other rules that are as specific. */
	if (!a->rule->knock != !b->rule->knock)
		return !a->rule->knock - !b->rule->knock;
	if (a->term.transports != b->term.transports)
		return a->term.transports - b->term.transports;
	if (a->term.protocol != b->term.protocol)
		return a->term.protocol - b->term.protocol;
	order = compare_sources(a->source, b->source);
	return order ?: strcmp(a->rule->iface, b->rule->iface);
}

static int compare_wants(const void *left, const void *right)
{
	const struct want *a = left, *b = right;
	int order = wants_compare(a, b);

	if (!order)
		order = a->term.first - b->term.first;
	return order ?: a->rule < b->rule ? -1 : a->rule > b->rule;
}

static int add_wants(struct wants *wants, const struct rule *rule, struct term term,
		     __u32 specificity)
{
	size_t count = rule->source_count ?: 1;

	for (size_t i = 0; i < count; i++) {
		const struct prefix *source = rule->source_count ? &rule->sources[i] : NULL;

		if (array_reserve(&wants->list, &wants->room, wants->count,
				  sizeof(*wants->list)))
			return -ENOMEM;
		wants->list[wants->count++] = (struct want){ rule, source, term, specificity };
	}
	return 0;
}

int wants_collect(struct wants *wants, const struct ruleset *ruleset)
{
	cleanup_claims struct claims claims = { 0 };
	int err = claims_collect(&claims, ruleset, NULL);

	*wants = (struct wants){ 0 };
	for (size_t i = 0; i < claims.count && !err; i++)
		err = add_wants(wants, claims.list[i].rule, claims.list[i].term,
				claims.list[i].specificity);
	for (size_t i = 0; i < ruleset->count && !err; i++) {
		if (!ruleset->rules[i].term_count)
			err = add_wants(wants, &ruleset->rules[i], (struct term){ 0 }, -1);
	}
	if (!err)
		array_sort(wants->list, wants->count, sizeof(*wants->list), compare_wants);
	return err;
}

void wants_clear(struct wants *wants)
{
	free(wants->list);
}
