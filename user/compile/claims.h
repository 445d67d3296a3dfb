/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Claims: each term of each rule, in the order of specificity. Compiling, checking and
 * comparing rulesets begin with them.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "rules/ruleset.h"

/* One term of one rule: it claims the keys that no narrower claim decides. */
struct claim {
	const struct rule *rule;
	struct term term;
	__u32 specificity; /* smaller is more specific */
};

/*
 * Neighbouring claims that differ only in sources, interface and action. They claim the same
 * keys.
 */
struct level {
	const struct claim *claims;
	size_t count;
	bool closes; /* one of its rules always applies, so no later level does */
};

struct claims {
	struct claim *list;
	size_t count;
	struct level *levels;
	size_t level_count;
};

/*
 * Collects the claims on one interface, or with NULL on all, the most specific first. Rules
 * without ports have none. Returns 0 or -ENOMEM; free with claims_clear() in both cases.
 */
int claims_collect(struct claims *claims, const struct ruleset *ruleset, const char *iface);
void claims_clear(struct claims *claims);

/* Attribute: clears claims, which must be zeroed or collected, at the end of their scope. */
#define cleanup_claims __attribute__((cleanup(claims_clear)))

/* What a rule says about one term and one source. */
struct want {
	const struct rule *rule;
	const struct prefix *source; /* NULL: every source */
	struct term term; /* zero: the rule has no ports */
	__u32 specificity;
};

struct wants {
	struct want *list;
	size_t count;
	size_t room;
};

/*
 * Collects the wants of all rules. Equally specific ones (wants_compare() is 0) are
 * neighbours, sorted by their first port, then by the order of the text. Returns 0 or
 * -ENOMEM; free with wants_clear() in both cases.
 */
int wants_collect(struct wants *wants, const struct ruleset *ruleset);
void wants_clear(struct wants *wants);

/* Attribute: clears wants, which must be zeroed or collected, at the end of their scope. */
#define cleanup_wants __attribute__((cleanup(wants_clear)))

/* Returns 0 if both are equally specific about a packet that both name, else an order. */
int wants_compare(const struct want *a, const struct want *b);

#endif
