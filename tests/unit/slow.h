/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference evaluator for rules without sources. compile() is tested against it.
 *
 * It finds the most specific rule for one key on one interface by comparing all rules, as
 * portctl.rules(5) defines "most specific": the narrower port range wins; at equal width one
 * protocol wins over both; then a named interface wins over all interfaces.
 */
#ifndef SLOW_H
#define SLOW_H

#include <string.h>

#include "rules/ruleset.h"

/* Higher than any rank: no rule names the key. */
#define RANK_NONE (1 << 30)

static inline bool slow_names_key(const struct term *term, __u32 key)
{
	__u16 port = key & 0xFFFF;

	if (key >= KEY_NOT_IP)
		return false;
	if (key >= KEY_PROTOCOL)
		return !term->transports && term->protocol == key - KEY_PROTOCOL;
	if (key >= PORT_KEY_UDP && !(term->transports & TRANSPORT_UDP))
		return false;
	if (key < PORT_KEY_UDP && !(term->transports & TRANSPORT_TCP))
		return false;
	return term->first <= port && port <= term->last;
}

/* Returns the rank of a term: the lower, the more specific; equal if equally specific. */
static inline int slow_rank(const struct rule *rule, const struct term *term)
{
	int width = term->last - term->first;
	bool both = term->transports == TRANSPORT_BOTH;
	bool every = rule->iface[0] == 0;

	return width * 4 + both * 2 + every;
}

static inline bool slow_is_on(const struct rule *rule, const char *iface)
{
	return !*rule->iface || !strcmp(rule->iface, iface);
}

/* Returns the best rank of a rule's terms that name the key, or RANK_NONE. */
static inline int slow_rule_rank(const struct rule *rule, const char *iface, __u32 key)
{
	int best = RANK_NONE;

	if (!slow_is_on(rule, iface))
		return RANK_NONE;
	for (size_t t = 0; t < rule->term_count; t++) {
		int rank = slow_rank(rule, &rule->terms[t]);

		if (slow_names_key(&rule->terms[t], key) && rank < best)
			best = rank;
	}
	return best;
}

/* Returns the rank of the most specific rules; *first is the first of those, or NULL. */
static inline int slow_best(const struct ruleset *ruleset, const char *iface, __u32 key,
			    const struct rule **first)
{
	int best = RANK_NONE;

	*first = NULL;
	for (size_t i = 0; i < ruleset->count; i++) {
		int rank = slow_rule_rank(&ruleset->rules[i], iface, key);

		if (rank < best) {
			best = rank;
			*first = &ruleset->rules[i];
		}
	}
	return best;
}

/* Whether two terms name a common key at the same rank. Their rules must then agree. */
static inline bool slow_terms_clash(const struct rule *a, const struct term *s,
				    const struct rule *b, const struct term *t)
{
	/* Two ranges of equal width that overlap share an end of one of them. */
	const __u16 ends[] = { s->first, s->last };
	bool clash = false;

	if (strcmp(a->iface, b->iface) || slow_rank(a, s) != slow_rank(b, t))
		return false;
	for (int i = 0; i < 2; i++) {
		for (__u32 base = PORT_KEY_TCP; base <= PORT_KEY_UDP; base += PORT_KEY_UDP)
			clash |= slow_names_key(s, base + ends[i]) &&
				 slow_names_key(t, base + ends[i]);
	}
	return clash || (!s->transports && !t->transports && s->protocol == t->protocol);
}

/* Whether two rules contradict each other. */
static inline bool slow_contradict(const struct rule *a, const struct rule *b)
{
	bool clash = false;

	for (size_t s = 0; s < a->term_count; s++) {
		for (size_t t = 0; t < b->term_count; t++)
			clash |= slow_terms_clash(a, &a->terms[s], b, &b->terms[t]);
	}
	return clash && a->action != b->action;
}

static inline bool slow_any_contradiction(const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (slow_contradict(&ruleset->rules[i], &ruleset->rules[j]))
				return true;
		}
	}
	return false;
}

/* Removes rules until no two contradict each other. */
static inline void slow_remove_contradictions(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!slow_contradict(&ruleset->rules[i], &ruleset->rules[j]))
				continue;
			ruleset_remove(ruleset, i--);
			break;
		}
	}
}

/*
 * Calls `at` for every key at which the deciding rule can change: up to two ports on either
 * side of both ends of every term, for TCP and UDP, and every key without a port. Between
 * these ports the same rules name every port, so testing them tests all.
 */
static inline void slow_edges(const struct ruleset *ruleset, void (*at)(__u32 key, void *data),
			      void *data)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		for (size_t n = 0; n < rule->term_count * 10; n++) {
			const struct term *term = &rule->terms[n / 10];
			int port = (n & 1 ? term->last : term->first) + (int)(n % 10) / 2 - 2;

			if (port < 0 || port > 65535)
				continue;
			at(PORT_KEY_TCP + port, data);
			at(PORT_KEY_UDP + port, data);
		}
	}
	for (__u32 key = KEY_PROTOCOL; key < KEYS; key++)
		at(key, data);
}

#endif
