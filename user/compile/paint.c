// SPDX-License-Identifier: GPL-2.0-only
#include "compile/paint.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

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

/* Rules are an array in the order of the text: the highest address is the last rule. */
static const struct rule *last_rule(const struct level *level)
{
	const struct rule *last = level->claims->rule;

	for (size_t i = 1; i < level->count; i++) {
		if (level->claims[i].rule > last)
			last = level->claims[i].rule;
	}
	return last;
}

void painter_chain(const struct painter *painter, __u32 key, struct chain *chain)
{
	const struct link *link = &painter->links[painter->last[key]];

	chain->count = link->count;
	for (; link->count; link = &painter->links[link->before])
		chain->levels[link->count - 1] = link->level;
}

/* Notes which rule made the chain of a key too long. */
static void note_long_chain(struct painter *painter, __u32 key, const struct level *level)
{
	struct excess *excess = painter->excess;
	struct chain chain;

	painter_chain(painter, key, &chain);
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

/* Gives a level to the keys first..last, except closed keys. */
static int paint(struct painter *painter, __u32 first, __u32 last, const struct level *level)
{
	__u32 key = first_free(painter, first), before = NO_LINK;

	while (key <= last) {
		if (painter->last[key] != before) {
			int err;

			before = painter->last[key];
			err = add_link(painter, before, level);
			if (err == -E2BIG)
				note_long_chain(painter, key, level);
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

int painter_make(struct painter **painter, const struct claims *claims, struct excess *excess)
{
	int err;

	*painter = large_calloc(1, sizeof(**painter));
	if (!*painter)
		return -ENOMEM;
	(*painter)->excess = excess;
	err = add_link(*painter, 0, NULL);
	for (size_t i = 0; i < claims->level_count && !err; i++)
		err = paint_level(*painter, &claims->levels[i]);
	return err;
}

void painter_free(struct painter **painter)
{
	if (*painter)
		free((*painter)->links);
	free(*painter);
}
