// SPDX-License-Identifier: GPL-2.0-only
#include "compile/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "compile/chain.h"
#include "compile/claims.h"
#include "compile/lifelines.h"
#include "compile/paint.h"
#include "rules/signing.h"
#include "rules/totp.h"

/* The entry where no rule applies. Unless the default is allow, replies still pass. */
static entry_t default_entry(const struct chainer *chainer)
{
	enum verdict fallback = chainer->ruleset->fallback;

	return entry_make(fallback,
			  fallback == VERDICT_PASS ? 0 : ENTRY_REPLY | chainer->closed_flags,
			  default_line(fallback));
}

/* Doors and steps drop silently whatever the default is, so that scans do not find them. */
static entry_t knock_entry(void)
{
	return entry_make(VERDICT_DROP, ENTRY_REPLY | ENTRY_TOUCH, LINE_KNOCK);
}

static bool is_step(const struct generation *table, __u32 key)
{
	return key < PORT_KEYS && table->steps[key / 64] >> (key % 64) & 1;
}

static void add_step(struct generation *table, __u32 key)
{
	table->steps[key / 64] |= 1ull << key % 64;
}

static void compile_door(struct generation *table, const struct rule *rule)
{
	const struct knock *knock = rule->knock;
	struct door *door = &table->doors[rule->door - 1];

	*door = (struct door){
		.window = ((__u64)knock->window * 1000000000 >> ATTEMPT_TICK) + 1,
		.misses = knock->misses,
		.seconds = knock->seconds,
		.signed_key = knock->signed_key,
		.name = door_number(knock->name),
		.skew = knock->skew,
		.line = rule->line,
		.flags = (knock->once ? DOOR_ONCE : 0) | (knock->per_net ? DOOR_NET : 0) |
			 (knock->secret ? DOOR_TIMED : 0),
	};
	memcpy(door->sequences, knock->sequences, sizeof(door->sequences));
	if (table->door_count < rule->door)
		table->door_count = rule->door;
	if (door->signed_key)
		add_step(table, door->signed_key);
	for (__u32 index = 0; index < totp_range(knock); index++)
		add_step(table, totp_key(&knock->range, index));
	for (int kind = 0; kind < SEQUENCES; kind++) {
		for (__u32 i = 0; i < door->sequences[kind].count; i++)
			add_step(table, door->sequences[kind].steps[i]);
	}
}

static void compile_doors(struct chainer *chainer)
{
	for (size_t i = 0; i < chainer->ruleset->count; i++) {
		const struct rule *rule = &chainer->ruleset->rules[i];

		if (!rule->knock)
			continue;
		chainer->closed_flags = ENTRY_TOUCH;
		if (rule->door) /* rules that are only checked have no numbers */
			compile_door(&chainer->image->table, rule);
	}
}

/* Whether a knock is in the chain: then its ports are closed without a grant. */
static bool chain_has_knock(const struct chain *chain)
{
	for (size_t l = 0; l < chain->count; l++) {
		for (size_t i = 0; i < chain->levels[l]->count; i++) {
			if (chain->levels[l]->claims[i].rule->knock)
				return true;
		}
	}
	return false;
}

static void set_tail(const struct chainer *chainer, __u32 key, struct chain *chain)
{
	if (is_step(&chainer->image->table, key) ||
	    (chainer->closed_flags && chain_has_knock(chain)))
		chain->tail = knock_entry();
	else
		chain->tail = default_entry(chainer);
}

static int make_entry(struct chainer *chainer, const struct painter *painter, __u32 key,
		      entry_t *entry)
{
	struct chain chain;
	int err;

	painter_chain(painter, key, &chain);
	set_tail(chainer, key, &chain);
	err = chain_entry(chainer, &chain, entry);
	if (err == -E2BIG)
		chainer->image->excess.key = key;
	return err;
}

static int fill_entries(struct chainer *chainer, const struct painter *painter)
{
	struct generation *table = &chainer->image->table;
	__u32 link = NO_LINK;
	bool step = false;
	entry_t entry = 0;

	compile_doors(chainer);
	/* Neighbours often have the same chain and tail, and then the same entry. */
	for (__u32 key = 0; key < KEY_NOT_IP; key++) {
		if (painter->last[key] != link || is_step(table, key) != step) {
			int err = make_entry(chainer, painter, key, &entry);

			if (err)
				return err;
			link = painter->last[key];
			step = is_step(table, key);
		}
		table->entries[key] = entry;
	}
	table->entries[KEY_NOT_IP] = entry_make(VERDICT_PASS, 0, LINE_NOT_IP);
	table->entries[KEY_MALFORMED] = entry_make(VERDICT_DROP, 0, LINE_MALFORMED);
	return lifelines_fill(chainer->ruleset, chainer->image);
}

int compile(const struct ruleset *ruleset, const char *iface, struct image *image,
	    unsigned char *used)
{
	struct chainer chainer = {
		.ruleset = ruleset,
		.iface = iface,
		.image = image,
		.used = used,
	};
	cleanup_painter struct painter *painter = NULL;
	cleanup_claims struct claims claims = { 0 };
	int err = claims_collect(&claims, ruleset, iface)
			  ?: painter_make(&painter, &claims, &image->excess);

	err = err ?: fill_entries(&chainer, painter);
	err = err ?: chain_portless(&chainer);
	chainer_clear(&chainer);
	return err;
}

static int compile_for(const struct ruleset *ruleset, const char *iface, unsigned char *used,
		       image_fn *look, void *data)
{
	cleanup_free struct image *image = large_calloc(1, sizeof(*image));
	int err = image ? compile(ruleset, iface, image, used) : -ENOMEM;

	if (!err || err == -E2BIG)
		look(image, iface, data);
	if (image)
		image_clear(image);
	return err;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

int compile_each(const struct ruleset *ruleset, unsigned char *used, image_fn *look, void *data)
{
	cleanup_free const char **names = calloc(ruleset->count + 1, sizeof(*names));
	int err = names ? compile_for(ruleset, "", used, look, data) : -ENOMEM;
	size_t count = 0;

	for (size_t i = 0; i < ruleset->count && !err; i++) {
		if (*ruleset->rules[i].iface)
			names[count++] = ruleset->rules[i].iface;
	}
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count && !err; i++) {
		if (!i || strcmp(names[i - 1], names[i]))
			err = compile_for(ruleset, names[i], used, look, data);
	}
	return err;
}
