// SPDX-License-Identifier: GPL-2.0-only
#include "compile/stranger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/prefix.h"
#include "base/array.h"

/* Why an address is no good stranger, the better reason first. */
enum standing {
	STANDING_NAMED, /* a rule names it */
	STANDING_NOT_PUBLIC,
	STANDING_NO_HOST, /* no host has it */
};

struct area {
	struct prefix prefix;
	enum standing standing;
};

struct areas {
	struct area *list;
	size_t count;
	size_t room;
};

/* IANA's special-purpose address registries; of IPv6 also all outside of 2000::/3. */
static const struct {
	const char *prefix;
	enum standing standing;
} special[] = {
	{ "0.0.0.0/8", STANDING_NO_HOST },
	{ "127.0.0.0/8", STANDING_NO_HOST },
	{ "224.0.0.0/3", STANDING_NO_HOST },
	{ "10.0.0.0/8", STANDING_NOT_PUBLIC },
	{ "100.64.0.0/10", STANDING_NOT_PUBLIC },
	{ "169.254.0.0/16", STANDING_NOT_PUBLIC },
	{ "172.16.0.0/12", STANDING_NOT_PUBLIC },
	{ "192.0.0.0/24", STANDING_NOT_PUBLIC },
	{ "192.0.2.0/24", STANDING_NOT_PUBLIC },
	{ "192.88.99.0/24", STANDING_NOT_PUBLIC },
	{ "192.168.0.0/16", STANDING_NOT_PUBLIC },
	{ "198.18.0.0/15", STANDING_NOT_PUBLIC },
	{ "198.51.100.0/24", STANDING_NOT_PUBLIC },
	{ "203.0.113.0/24", STANDING_NOT_PUBLIC },
	{ "::/127", STANDING_NO_HOST },
	{ "ff00::/8", STANDING_NO_HOST },
	{ "::/3", STANDING_NOT_PUBLIC },
	{ "4000::/2", STANDING_NOT_PUBLIC },
	{ "8000::/1", STANDING_NOT_PUBLIC },
	{ "2001::/23", STANDING_NOT_PUBLIC },
	{ "2001:db8::/32", STANDING_NOT_PUBLIC },
	{ "2002::/16", STANDING_NOT_PUBLIC },
	{ "3fff::/20", STANDING_NOT_PUBLIC },
};

static int add_area(struct areas *areas, const struct prefix *prefix, enum standing standing)
{
	int err = array_reserve(&areas->list, &areas->room, areas->count, sizeof(*areas->list));

	if (!err)
		areas->list[areas->count++] = (struct area){ *prefix, standing };
	return err;
}

static int compare_areas(const void *left, const void *right)
{
	const struct area *a = left, *b = right;

	return prefix_compare(&a->prefix, &b->prefix);
}

/* Collects the areas of both families, sorted by their addresses. */
static int collect_areas(const struct ruleset *ruleset, struct areas *areas)
{
	char expected[PREFIX_ERROR];
	struct prefix prefix;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(special) && !err; i++)
		err = prefix_parse(special[i].prefix, &prefix, expected)
			      ?: add_area(areas, &prefix, special[i].standing);
	for (size_t i = 0; i < ruleset->count && !err; i++) {
		const struct rule *rule = &ruleset->rules[i];

		for (size_t s = 0; s < rule->source_count && !err; s++)
			err = add_area(areas, &rule->sources[s], STANDING_NAMED);
	}
	if (!err)
		qsort(areas->list, areas->count, sizeof(*areas->list), compare_areas);
	return err;
}

/*
 * Finds the first address of the family that is in no area that counts: sources of rules with
 * at least `shortest` bits, and special areas with `standing` or worse.
 */
static bool find_gap(const struct areas *areas, __u8 family, __u32 shortest,
		     enum standing standing, struct prefix *gap)
{
	*gap = (struct prefix){ .family = family, .length = family == 4 ? 32 : 128 };
	for (size_t i = 0; i < areas->count; i++) {
		const struct area *area = &areas->list[i];
		bool counts = area->standing == STANDING_NAMED ? area->prefix.length >= shortest
							       : area->standing >= standing;

		if (area->prefix.family != family || !counts)
			continue;
		if (memcmp(area->prefix.address, gap->address, sizeof(gap->address)) > 0)
			return true;
		if (prefix_contains(&area->prefix, gap) &&
		    !prefix_next_address(&area->prefix, gap))
			return false;
	}
	return true;
}

static void find_stranger(const struct areas *areas, __u8 family, struct prefix *stranger)
{
	/* Ends when no source has that many bits, if not before. */
	for (__u32 shortest = 0;; shortest++) {
		if (find_gap(areas, family, shortest, STANDING_NOT_PUBLIC, stranger) ||
		    find_gap(areas, family, shortest, STANDING_NO_HOST, stranger))
			return;
	}
}

int strangers_find(const struct ruleset *ruleset, struct prefix strangers[STRANGERS])
{
	struct areas areas = { 0 };
	int err = collect_areas(ruleset, &areas);

	if (!err) {
		find_stranger(&areas, 4, &strangers[0]);
		find_stranger(&areas, 6, &strangers[1]);
	}
	free(areas.list);
	return err;
}
