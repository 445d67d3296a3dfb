/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slow, obvious evaluator of rules with sources, made from the words at the
 * top of compile.h and from nothing else: every rule is asked for every packet.
 */
#ifndef SLOW_SOURCES_H
#define SLOW_SOURCES_H

#include <netinet/in.h>
#include <string.h>

#include "rules/ruleset.h"

/* A packet, and when and where it comes. */
struct probe {
	const char *iface;
	__u32 key;
	struct prefix source; /* a whole address */
	__u64 now;
};

/* How specific one rule is about one packet: compared from the top, less wins. */
struct specificity {
	int has_ports;
	int width;
	int both;
	int wildcard_bits; /* of the source; everybody is wider than any /0 */
	int every_iface;
	int begin; /* only which of two that agree is charged */
};

#define EVERYBODY 1000

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

/* Bit by bit. */
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

/* Rules without ports are about every IP packet that can be read. */
static inline bool portless_names_key(__u32 key)
{
	return key < KEYS_USED && key != KEY_NOT_IP && key != KEY_MALFORMED;
}

static inline bool is_over(const struct rule *rule, __u64 now)
{
	return rule->seconds && rule->ends && now >= rule->ends;
}

/* The shortest wildcard, or -1 where the source is another. */
static inline int source_wildcard(const struct rule *rule, const struct prefix *source)
{
	/* A door is for some only, but after those whose sources are written down. */
	int best = rule->source_count ? -1 : EVERYBODY - !!rule->knock;

	for (size_t i = 0; i < rule->source_count; i++) {
		const struct prefix *prefix = &rule->sources[i];
		int bits = (prefix->family == 4 ? 32 : 128) - prefix->length;

		if (is_within(source, prefix) && (best < 0 || bits < best))
			best = bits;
	}
	return best;
}

/* Whether a rule applies, and then how specific it is at the best. */
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

/* The most specific rule; NULL where none applies. */
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

/* A lifeline that is off leaves its packets to this key. */
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

/* What happens to a packet; *rule is the one that decides, or NULL. */
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

/* Whether one packet is named by both terms; NULL: rules without ports. */
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

/* Whether sources are as long as each other and one address is in both. */
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

/* Two rules that are as specific as each other about some packet, and disagree. */
static inline bool slow_disagree(const struct rule *a, const struct rule *b)
{
	return a->action != b->action && !strcmp(a->iface, b->iface) && terms_meet(a, b) &&
	       sources_meet(a, b);
}

/* Leaves out rules that one before them is `against`. */
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
