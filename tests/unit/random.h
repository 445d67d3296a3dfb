/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A random number generator, and random rulesets without sources.
 *
 * The same seed gives the same ruleset everywhere, so a failure that names its seed can be
 * repeated. The port ranges lie in two clusters, so that they nest, touch and overlap, and so
 * that many pairs of rules are equally specific.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include "rules/ruleset.h"
#include "base/array.h"

struct random {
	__u64 state;
};

/* splitmix64 */
static inline __u64 random_next(struct random *random)
{
	__u64 z = random->state += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

/* Returns a number from 0 to count - 1. */
static inline unsigned int random_below(struct random *random, unsigned int count)
{
	return random_next(random) % count;
}

static inline bool random_once_in(struct random *random, unsigned int count)
{
	return !random_below(random, count);
}

/* Ports around which the ranges lie: the ends of the port numbers and of the port classes. */
static const __u16 random_centres[] = { 0, 22, 1024, 6000, 32767, 49152, 65535 };

static const __u16 random_widths[] = { 0, 0, 1, 2, 3, 5, 9, 30, 300, 20000 };

/* Every protocols database has a name for each of these protocols, except the last. */
static const __u8 random_protocols[] = { 1, 2, 47, 50, 51, 253 };

static const char *const random_ifaces[] = { "", "", "", "eth0", "eth1" };

/* The rules of one cluster name ports around the same centre. */
struct cluster {
	__u16 centre;
	__u16 widths[2];
};

static inline struct cluster random_cluster(struct random *random)
{
	struct cluster cluster = {
		.centre = random_centres[random_below(random, ARRAY_SIZE(random_centres))],
	};

	for (int i = 0; i < 2; i++)
		cluster.widths[i] =
			random_widths[random_below(random, ARRAY_SIZE(random_widths))];
	return cluster;
}

static inline void random_term(struct random *random, const struct cluster *cluster,
			       struct term *term)
{
	int first = cluster->centre + (int)random_below(random, 13) - 6, last;

	*term = (struct term){ 0 };
	if (random_once_in(random, 12)) {
		term->protocol =
			random_protocols[random_below(random, ARRAY_SIZE(random_protocols))];
		return;
	}
	first = first < 0 ? 0 : first > 65535 ? 65535 : first;
	last = first + cluster->widths[random_below(random, 2)];
	term->transports = 1 + random_below(random, 3);
	term->first = first;
	term->last = last > 65535 ? 65535 : last;
	if (random_once_in(random, 40)) {
		term->first = 0;
		term->last = 65535;
	}
}

/* Adds a rule of 1 to 3 terms. Its line follows from its index, so a test can find the rule. */
static inline void random_rule(struct random *random, const struct cluster *cluster,
			       struct ruleset *ruleset)
{
	struct rule rule = {
		.action = random_once_in(random, 2) ? VERDICT_PASS : VERDICT_DROP,
		.line = LINE_FIRST_RULE + ruleset->count,
		.row = ruleset->count + 1,
	};
	unsigned int iface = random_below(random, ARRAY_SIZE(random_ifaces));

	rule.term_count = random_once_in(random, 3) ? 1 + random_below(random, 3) : 1;
	rule.terms = calloc(rule.term_count, sizeof(*rule.terms));
	for (size_t i = 0; i < rule.term_count; i++)
		random_term(random, cluster, &rule.terms[i]);
	snprintf(rule.iface, sizeof(rule.iface), "%s", random_ifaces[iface]);
	ruleset_add(ruleset, &rule);
}

/* Terms are not sorted and may repeat: the code under test must not rely on either. */
static inline void random_ruleset(struct random *random, size_t count, struct ruleset *ruleset)
{
	struct cluster clusters[2];

	for (int i = 0; i < 2; i++)
		clusters[i] = random_cluster(random);
	ruleset_init(ruleset);
	ruleset->fallback = random_once_in(random, 2) ? VERDICT_PASS : VERDICT_DROP;
	ruleset->options[OPTION_FRAGMENTS] =
		random_once_in(random, 2) ? VERDICT_PASS : VERDICT_DROP;
	for (size_t i = 0; i < count; i++)
		random_rule(random, &clusters[random_below(random, 2)], ruleset);
}

/* Shuffles the rules. Each rule keeps its line and its row. */
static inline void random_shuffle(struct random *random, struct ruleset *ruleset)
{
	for (size_t i = ruleset->count; i > 1; i--) {
		size_t other = random_below(random, i);
		struct rule rule = ruleset->rules[i - 1];

		ruleset->rules[i - 1] = ruleset->rules[other];
		ruleset->rules[other] = rule;
	}
}

#endif
