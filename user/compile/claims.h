/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Claims: what each term of each rule wants, in the order of specificity. Both
 * compiling and checking begin with them.
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "rules/ruleset.h"

/* One term of one rule: it claims some keys, unless a narrower one has them. */
struct claim {
	const struct rule *rule;
	struct term term;
	__u32 specificity; /* the smaller the more specific */
};

/*
 * Claims that stand next to each other and differ in nothing but their sources,
 * interface and action: a key has them all or none of them.
 */
struct level {
	const struct claim *claims;
	size_t count;
	bool closes; /* one of them decides about every packet it gets */
};

struct claims {
	struct claim *list;
	size_t count;
	struct level *levels;
	size_t level_count;
};

/*
 * Collects the claims on `iface`, the most specific first; NULL means every
 * interface's. Rules without ports have none. Returns 0 or -ENOMEM; free with
 * claims_clear(), also after a failure.
 */
int claims_collect(struct claims *claims, const struct ruleset *ruleset, const char *iface);
void claims_clear(struct claims *claims);

/* What one rule says of one term and one source; rules without ports: no term. */
struct want {
	const struct rule *rule;
	const struct prefix *source; /* NULL: everybody */
	struct term term;
	__u32 specificity;
};

struct wants {
	struct want *list;
	size_t count;
	size_t room;
};

/*
 * Collects what all rules want: those that are as specific as each other stand together
 * (wants_compare() is 0), in it by their first port, then in the order of the text.
 * Returns 0 or -ENOMEM; free with wants_clear(), also after a failure.
 */
int wants_collect(struct wants *wants, const struct ruleset *ruleset);
void wants_clear(struct wants *wants);

/* Zero where they are as specific as each other about a packet that both name. */
int wants_compare(const struct want *a, const struct want *b);

#endif
