// SPDX-License-Identifier: GPL-2.0-only
/* Which keys each level of claims gets, and what stands in their entries. */
#include "compile/compile.h"

#include <errno.h>
#include <string.h>

#include "compile/chain.h"
#include "compile/claims.h"
#include "rules/signing.h"
#include "rules/totp.h"
#include "base/array.h"
#include "base/cleanup.h"

/*
 * The levels that are asked about a key before the one that closes it are its
 * chain. Most keys have none. While they are painted a chain is its last link, and
 * neighbours that have the same chain have the same link.
 */
struct link {
	const struct level *level;
	__u32 before; /* its index; the first link of all is none */
	__u32 count; /* of levels, with this one */
};

#define NO_LINK (~0u)

/*
 * `closed` leads, as a path, from a key towards the first one at or after it that is not
 * closed: by how much further it is, 0 there. Following it shortens it (union-find), so
 * painting takes next to no time per rule, however wide the rules are.
 */
struct painter {
	struct link *links;
	size_t count;
	size_t room;
	__u32 last[KEY_NOT_IP];
	__u32 closed[KEY_NOT_IP + 1];
	struct excess *excess;
};

static int add_link(struct painter *painter, __u32 before, const struct level *level)
{
	struct link link = { .level = level, .before = before };

	if (array_reserve(&painter->links, &painter->room, painter->count, sizeof(link)))
		return -ENOMEM;
	if (level)
		link.count = painter->links[before].count + 1;
	if (link.count > CHAIN_MAX)
		return -E2BIG;
	painter->links[painter->count++] = link;
	return 0;
}

/* Rules stand in an array: the later one is further on in the text. */
static const struct rule *last_rule(const struct level *level)
{
	const struct rule *last = level->claims->rule;

	for (size_t i = 1; i < level->count; i++) {
		if (level->claims[i].rule > last)
			last = level->claims[i].rule;
	}
	return last;
}

/* The chain of a key, but for its tail. */
static void read_chain(const struct painter *painter, __u32 key, struct chain *chain)
{
	const struct link *link = &painter->links[painter->last[key]];

	chain->count = link->count;
	for (; link->count; link = &painter->links[link->before])
		chain->levels[link->count - 1] = link->level;
}

/* What add_link() had no room for, at that key. */
static void exceed(struct painter *painter, __u32 key, const struct level *level)
{
	struct excess *excess = painter->excess;
	struct chain chain;

	read_chain(painter, key, &chain);
	*excess = (struct excess){ .rule = last_rule(level), .key = key };
	for (size_t l = 0; l < chain.count; l++) {
		if (last_rule(chain.levels[l]) > excess->rule)
			excess->rule = last_rule(chain.levels[l]);
	}
}

static __u32 first_free(struct painter *painter, __u32 key)
{
	__u32 end = key, next;

	while (painter->closed[end])
		end += painter->closed[end];
	for (; key != end; key = next) {
		next = key + painter->closed[key];
		painter->closed[key] = end - key;
	}
	return end;
}

/* Gives a level to the keys first..last, but for those already closed. */
static int paint(struct painter *painter, __u32 first, __u32 last, const struct level *level)
{
	__u32 key = first_free(painter, first), before = NO_LINK;

	while (key <= last) {
		if (painter->last[key] != before) {
			int err;

			before = painter->last[key];
			err = add_link(painter, before, level);
			if (err == -E2BIG)
				exceed(painter, key, level);
			if (err)
				return err;
		}
		painter->last[key] = painter->count - 1;
		if (level->closes)
			painter->closed[key] = 1;
		key = first_free(painter, level->closes ? key : key + 1);
	}
	return 0;
}

static int paint_level(struct painter *painter, const struct level *level)
{
	const struct term *term = &level->claims->term;
	__u32 protocol = KEY_PROTOCOL + term->protocol;
	int err = 0;

	if (!term->transports)
		return paint(painter, protocol, protocol, level);
	if (term->transports & TRANSPORT_TCP)
		err = paint(painter, PORT_KEY_TCP + term->first, PORT_KEY_TCP + term->last,
			    level);
	if (!err && term->transports & TRANSPORT_UDP)
		err = paint(painter, PORT_KEY_UDP + term->first, PORT_KEY_UDP + term->last,
			    level);
	return err;
}

static int paint_all(struct painter *painter, const struct claims *claims)
{
	int err = add_link(painter, 0, NULL);

	for (size_t i = 0; i < claims->level_count && !err; i++)
		err = paint_level(painter, &claims->levels[i]);
	return err;
}

/* What a packet gets that no rule names: but first, it may be a reply. */
static entry_t default_entry(const struct chainer *chainer)
{
	enum verdict fallback = chainer->ruleset->fallback;

	return entry_make(fallback, fallback == VERDICT_PASS ? 0 : ENTRY_REPLY | chainer->shut,
			  default_line(fallback));
}

/* Doors, and ports that are knocked at, answer nothing, whatever the default is. */
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

static void set_door(struct generation *table, const struct rule *rule)
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
	for (__u32 place = 0; place < totp_range(knock); place++)
		add_step(table, totp_key(&knock->range, place));
	for (int kind = 0; kind < SEQUENCES; kind++) {
		for (__u32 i = 0; i < door->sequences[kind].count; i++)
			add_step(table, door->sequences[kind].steps[i]);
	}
}

static void set_doors(struct chainer *chainer)
{
	for (size_t i = 0; i < chainer->ruleset->count; i++) {
		const struct rule *rule = &chainer->ruleset->rules[i];

		if (!rule->knock)
			continue;
		chainer->shut = ENTRY_TOUCH;
		if (rule->door) /* not where rules are only checked */
			set_door(&chainer->image->table, rule);
	}
}

/* A door's port is shut for those who have no grant. */
static bool is_door(const struct chain *chain)
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
	if (is_step(&chainer->image->table, key) || (chainer->shut && is_door(chain)))
		chain->tail = knock_entry();
	else
		chain->tail = default_entry(chainer);
}

/* The entries of keys that stand for kinds of packets. */
static int fill_kinds(struct chainer *chainer)
{
	entry_t *entries = chainer->image->table.entries;
	enum verdict fragments = chainer->ruleset->options[OPTION_FRAGMENTS];

	entries[KEY_NOT_IP] = entry_make(VERDICT_PASS, 0, LINE_NOT_IP);
	entries[KEY_MALFORMED] = entry_make(VERDICT_DROP, 0, LINE_MALFORMED);
	entries[KEY_FRAGMENT] =
		entry_make(fragments, 0,
			   fragments == VERDICT_PASS ? LINE_FRAGMENT_PASS : LINE_FRAGMENT_DROP);
	return fill_lifelines(chainer);
}

static int make_entry(struct chainer *chainer, const struct painter *painter, __u32 key,
		      entry_t *entry)
{
	struct chain chain;
	int err;

	read_chain(painter, key, &chain);
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

	set_doors(chainer);
	/* Neighbours often have the same chain, and the same tail: then also the same entry. */
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
	return fill_kinds(chainer);
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
	cleanup_free struct painter *painter = large_calloc(1, sizeof(*painter));
	struct claims claims;
	int err = claims_collect(&claims, ruleset, iface);

	if (!painter)
		err = -ENOMEM;
	if (!err) {
		painter->excess = &image->excess;
		err = paint_all(painter, &claims);
	}
	if (!err)
		err = fill_entries(&chainer, painter);
	if (!err)
		err = wrap_portless(&chainer);
	if (painter)
		free(painter->links);
	chainer_clear(&chainer);
	claims_clear(&claims);
	return err;
}

void image_clear(struct image *image)
{
	free(image->details);
	free(image->sources);
	image->details = NULL;
	image->sources = NULL;
}
