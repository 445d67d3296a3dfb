/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference evaluator for rules with sources. It implements the definition at the top of
 * compile.h by comparing every rule with every packet, and shares no code with compile().
 */
#ifndef SLOW_SOURCES_H
#define SLOW_SOURCES_H

#include <netinet/in.h>
#include <string.h>

#include "rules/ruleset.h"

/* A packet: the interface it arrives on, its key, its source and its time of arrival. */
struct probe {
	const char *iface;
	__u32 key;
	struct prefix source; /* a full-length address */
	__u64 now;
};

/* How specific a rule is about a packet. Compared field by field; the smaller value wins. */
struct specificity {
	int has_ports;
	int width;
	int both;
	int wildcard_bits; /* of the source prefix; ANY_SOURCE where the rule has none */
	int every_iface;
	int begin; /* the range's first port: decides which of two agreeing rules is charged */
};

#define ANY_SOURCE 1000 /* wider than a prefix of length 0 */

static inline int compare_specificity(const struct specificity *a, const struct specificity *b)
{
	const int *x = (const int *)a, *y = (const int *)b;

	for (size_t i = 0; i < sizeof(*a) / sizeof(int); i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

static inline bool address_bit(const struct prefix *prefix, int bit)
{
	return prefix->address[bit / 8] >> (7 - bit % 8) & 1;
}

/* Whether the prefix contains the address, compared bit by bit. */
static inline bool is_within(const struct prefix *address, const struct prefix *prefix)
{
	if (address->family != prefix->family)
		return false;
	for (int bit = 0; bit < prefix->length; bit++) {
		if (address_bit(address, bit) != address_bit(prefix, bit))
			return false;
	}
	return true;
}

static inline bool names_key(const struct term *term, __u32 key)
{
	if (!term->transports)
		return key == (__u32)KEY_PROTOCOL + term->protocol;
	for (__u32 port = term->first; port <= term->last; port++) {
		if ((term->transports & TRANSPORT_TCP && key == PORT_KEY_TCP + port) ||
		    (term->transports & TRANSPORT_UDP && key == PORT_KEY_UDP + port))
			return true;
	}
	return false;
}

/* A rule without ports names every IP packet that is not malformed. */
static inline bool portless_names_key(__u32 key)
{
	return key < KEYS_USED && key != KEY_NOT_IP && key != KEY_MALFORMED;
}

static inline bool is_over(const struct rule *rule, __u64 now)
{
	return rule->seconds && rule->ends && now >= rule->ends;
}

/* Returns the wildcard bits of the longest matching prefix, or -1 if no prefix matches. */
static inline int source_wildcard(const struct rule *rule, const struct prefix *source)
{
	/* A knock is more specific than a rule for everybody, less than one with sources. */
	int best = rule->source_count ? -1 : ANY_SOURCE - !!rule->knock;

	for (size_t i = 0; i < rule->source_count; i++) {
		const struct prefix *prefix = &rule->sources[i];
		int bits = (prefix->family == 4 ? 32 : 128) - prefix->length;

		if (is_within(source, prefix) && (best < 0 || bits < best))
			best = bits;
	}
	return best;
}

/* Whether a rule applies to a packet; if so, *best says how specific its best term is. */
static inline bool applies(const struct rule *rule, const struct probe *probe,
			   struct specificity *best)
{
	struct specificity found = {
		.wildcard_bits = source_wildcard(rule, &probe->source),
		.every_iface = !*rule->iface,
	};
	bool any = false;

	if ((*rule->iface && strcmp(rule->iface, probe->iface)) || found.wildcard_bits < 0 ||
	    is_over(rule, probe->now))
		return false;
	*best = found;
	if (!rule->term_count)
		return portless_names_key(probe->key);
	for (size_t t = 0; t < rule->term_count; t++) {
		const struct term *term = &rule->terms[t];

		found.has_ports = 1;
		found.width = term->last - term->first;
		found.both = term->transports == TRANSPORT_BOTH;
		found.begin = term->first;
		if (!names_key(term, probe->key) ||
		    (any && compare_specificity(best, &found) <= 0))
			continue;
		*best = found;
		any = true;
	}
	return any;
}

/*
 * Returns the most specific rule, or NULL if none applies: among the rules with and without
 * ports if `ports` is set, else among those without ports.
 */
static inline const struct rule *slow_find(const struct ruleset *ruleset,
					   const struct probe *probe, bool ports)
{
	struct specificity best = { 0 }, found;
	const struct rule *winner = NULL;

	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if ((rule->term_count && !ports) || !applies(rule, probe, &found))
			continue;
		if (!winner || compare_specificity(&found, &best) < 0) {
			winner = rule;
			best = found;
		}
	}
	return winner;
}

/* The key by which a packet of a lifeline is judged when the lifeline is switched off. */
static const struct {
	__u32 key;
	enum rule_option option;
	__u32 otherwise;
} lifelines[] = {
	{ KEY_ERROR, OPTION_ERRORS, KEY_PROTOCOL + IPPROTO_ICMP },
	{ KEY_ERROR6, OPTION_ERRORS, KEY_PROTOCOL + IPPROTO_ICMPV6 },
	{ KEY_ECHO, OPTION_ECHO, KEY_PROTOCOL + IPPROTO_ICMP },
	{ KEY_ECHO6, OPTION_ECHO, KEY_PROTOCOL + IPPROTO_ICMPV6 },
	{ KEY_NEIGHBOUR, OPTION_NEIGHBOURS, KEY_PROTOCOL + IPPROTO_ICMPV6 },
};

/* Returns a packet's verdict; *rule is the rule that decides, or NULL. */
static inline enum verdict slow_evaluate(const struct ruleset *ruleset, struct probe probe,
					 const struct rule **rule)
{
	*rule = NULL;
	if (probe.key == KEY_NOT_IP)
		return VERDICT_PASS;
	if (probe.key == KEY_MALFORMED)
		return VERDICT_DROP;
	*rule = slow_find(ruleset, &probe, false);
	if (*rule)
		return (*rule)->action;
	if (probe.key == KEY_FRAGMENT)
		return ruleset->options[OPTION_FRAGMENTS];
	for (size_t i = 0; i < sizeof(lifelines) / sizeof(*lifelines); i++) {
		if (probe.key != lifelines[i].key)
			continue;
		if (ruleset->options[lifelines[i].option] == VERDICT_PASS)
			return VERDICT_PASS;
		probe.key = lifelines[i].otherwise;
		break;
	}
	*rule = slow_find(ruleset, &probe, true);
	return *rule ? (*rule)->action : ruleset->fallback;
}

/* Whether some packet is named by both terms. NULL stands for a rule without ports. */
static inline bool share_key(const struct term *a, const struct term *b)
{
	__u32 bases[] = { PORT_KEY_TCP, PORT_KEY_UDP };

	if (!a || !b)
		return a == b;
	if (!a->transports || !b->transports)
		return a->transports == b->transports && a->protocol == b->protocol;
	for (int i = 0; i < 2; i++) {
		for (__u32 port = a->first; port <= a->last; port++) {
			if (names_key(a, bases[i] + port) && names_key(b, bases[i] + port))
				return true;
		}
	}
	return false;
}

static inline bool equally_wide(const struct term *a, const struct term *b)
{
	return a == b ||
	       (a && b && a->last - a->first == b->last - b->first &&
		(a->transports == TRANSPORT_BOTH) == (b->transports == TRANSPORT_BOTH));
}

/* Whether the prefixes are equal; NULL stands for a rule without sources. */
static inline bool share_source(const struct prefix *a, const struct prefix *b)
{
	if (!a || !b)
		return a == b;
	return a->length == b->length && is_within(a, b);
}

static inline bool terms_meet(const struct rule *a, const struct rule *b)
{
	if (!a->term_count || !b->term_count)
		return a->term_count == b->term_count;
	for (size_t s = 0; s < a->term_count; s++) {
		for (size_t t = 0; t < b->term_count; t++) {
			if (equally_wide(&a->terms[s], &b->terms[t]) &&
			    share_key(&a->terms[s], &b->terms[t]))
				return true;
		}
	}
	return false;
}

static inline bool sources_meet(const struct rule *a, const struct rule *b)
{
	if (!a->source_count || !b->source_count)
		return a->source_count == b->source_count;
	for (size_t s = 0; s < a->source_count; s++) {
		for (size_t t = 0; t < b->source_count; t++) {
			if (share_source(&a->sources[s], &b->sources[t]))
				return true;
		}
	}
	return false;
}

/* Whether two rules are equally specific about some packet and have different actions. */
static inline bool slow_disagree(const struct rule *a, const struct rule *b)
{
	return a->action != b->action && !strcmp(a->iface, b->iface) && terms_meet(a, b) &&
	       sources_meet(a, b);
}

/* Removes each rule for which `against` is true with an earlier rule. */
static inline void rules_leave_out(struct ruleset *ruleset,
				   bool (*against)(const struct rule *a, const struct rule *b))
{
	for (size_t i = 0; i < ruleset->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (against(&ruleset->rules[i], &ruleset->rules[j])) {
				ruleset_remove(ruleset, i--);
				break;
			}
		}
	}
}

#endif
