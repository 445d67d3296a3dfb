/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random rulesets with sources, interfaces, expiry times and limits. They name only a few
 * ports and a few nested networks, so that several rules match most packets.
 */
#ifndef RANDOM_SOURCES_H
#define RANDOM_SOURCES_H

#include <string.h>

#include "rules/prefix.h"
#include "random.h"

#define NOW 1000000000000ull
#define FIRST_PORT 64 /* the range then holds 68, the port of DHCP clients */
#define PORTS 12

/* 32.1.13.184 has the same four bytes as the start of 2001:db8::. */
static const struct {
	const char *text;
	__u8 lengths[8];
} random_networks[] = {
	{ "10.1.2.3", { 0, 8, 16, 24, 25, 31, 32, 32 } },
	{ "10.1.2.200", { 0, 1, 16, 24, 25, 30, 32, 32 } },
	{ "32.1.13.184", { 0, 3, 8, 16, 24, 32, 32, 32 } },
	{ "2001:db8:1:2::3", { 0, 3, 8, 32, 48, 64, 127, 128 } },
	{ "2001:db8:1:2:8000::", { 0, 16, 32, 63, 64, 65, 66, 128 } },
};

static inline struct prefix random_address(struct random *random, unsigned int *which)
{
	struct prefix prefix;
	char expected[128];

	*which = random_below(random, ARRAY_SIZE(random_networks));
	if (prefix_parse(random_networks[*which].text, &prefix, expected))
		abort();
	return prefix;
}

/* Sets every bit after the first `length` bits to `value`. */
static inline void set_host_bits(struct prefix *prefix, int length, bool value)
{
	for (int bit = length; bit < (prefix->family == 4 ? 32 : 128); bit++) {
		__u8 mask = 0x80 >> bit % 8;

		if (value)
			prefix->address[bit / 8] |= mask;
		else
			prefix->address[bit / 8] &= ~mask;
	}
}

static inline struct prefix random_prefix(struct random *random)
{
	unsigned int which;
	struct prefix prefix = random_address(random, &which);

	prefix.length = random_networks[which].lengths[random_below(random, 8)];
	set_host_bits(&prefix, prefix.length, false);
	return prefix;
}

static inline void random_ports(struct random *random, struct term *term)
{
	static const __u8 protocols[] = { 1, 47, 58 };
	static const __u8 widths[] = { 0, 0, 1, 2, 2, 5 };

	*term = (struct term){ 0 };
	if (random_once_in(random, 8)) {
		term->protocol = protocols[random_below(random, 3)];
		return;
	}
	term->transports = 1 + random_below(random, 3);
	term->first = FIRST_PORT + random_below(random, PORTS);
	term->last = term->first + widths[random_below(random, ARRAY_SIZE(widths))];
}

/* Gives some rules an expiry time, in the future, in the past or exactly now; some a limit. */
static inline void random_ends(struct random *random, struct rule *rule)
{
	static const __u64 ends[] = { NOW - 1000, NOW - 1, NOW, NOW + 1, NOW + 1000 };

	if (random_once_in(random, 4)) {
		rule->seconds = 60;
		rule->ends = ends[random_below(random, ARRAY_SIZE(ends))];
	}
	if (rule->action == VERDICT_PASS && random_once_in(random, 5))
		rule->limit = (struct limit){ 5, 's', 0, random_once_in(random, 2) };
}

static inline void random_sourced_rule(struct random *random, struct ruleset *ruleset)
{
	static const enum verdict actions[] = { VERDICT_PASS, VERDICT_DROP, VERDICT_REJECT };
	struct rule rule = {
		.action = actions[random_below(random, 3)],
		.line = LINE_FIRST_RULE + 2 * ruleset->count,
		.limited_line = LINE_FIRST_RULE + 2 * ruleset->count + 1,
		.row = ruleset->count + 1,
	};

	rule.term_count = random_once_in(random, 6) ? 0 : 1 + random_once_in(random, 3);
	rule.source_count = rule.term_count && random_once_in(random, 4)
				    ? 0
				    : 1 + random_once_in(random, 3);
	rule.terms = calloc(rule.term_count + 1, sizeof(*rule.terms));
	rule.sources = calloc(rule.source_count + 1, sizeof(*rule.sources));
	for (size_t i = 0; i < rule.term_count; i++)
		random_ports(random, &rule.terms[i]);
	for (size_t i = 0; i < rule.source_count; i++)
		rule.sources[i] = random_prefix(random);
	strcpy(rule.iface, random_ifaces[random_below(random, ARRAY_SIZE(random_ifaces))]);
	random_ends(random, &rule);
	ruleset_add(ruleset, &rule);
}

static inline void random_sourced_ruleset(struct random *random, size_t count,
					  struct ruleset *ruleset)
{
	static const enum verdict fallbacks[] = { VERDICT_PASS, VERDICT_DROP, VERDICT_REJECT };

	ruleset_init(ruleset);
	ruleset->fallback = fallbacks[random_below(random, 3)];
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		if (random_once_in(random, 3))
			ruleset->options[option] = VERDICT_DROP;
	}
	for (size_t i = 0; i < count; i++)
		random_sourced_rule(random, ruleset);
}

#endif
