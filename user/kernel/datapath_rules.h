/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running ruleset. It lies in the active one of two slots; the other slot keeps the ruleset
 * before it, which a rollback makes active. Functions return 0 or a negative errno after saying
 * why.
 */
#ifndef DATAPATH_RULES_H
#define DATAPATH_RULES_H

#include "kernel/datapath.h"
#include "rules/ruleset.h"

/* What is stored of a rule beside its text. */
struct stored_rule {
	__u32 line;
	__u32 limited_line; /* for packets over the rule's limit; 0: it has no limit */
	__u32 verdict;
	__u32 door; /* 0: not a knock */
	__u64 ends; /* nanoseconds since boot; 0: never */
	__u64 since; /* nanoseconds since 1970: when the rule began to run */
};

/*
 * Reads the running ruleset, with the lines of its rules, into an initialised *ruleset. This
 * includes expired rules, because their counters stay until the next change.
 */
int datapath_ruleset(const struct datapath *dp, struct ruleset *ruleset);

/* As datapath_ruleset(), without expired rules: for listing, and as the base of a change. */
int datapath_rules_in_force(const struct datapath *dp, struct ruleset *ruleset);

/* Reads the rules that a rollback would make active, without expired rules. */
int datapath_rules_before(const struct datapath *dp, struct ruleset *ruleset);

/*
 * Reads the stored rules of the slot that is not active, whose lines may still hold counts of
 * their own. Free *rules.
 */
int datapath_previous(const struct datapath *dp, struct stored_rule **rules, size_t *count);

/*
 * Makes *next the running ruleset of all interfaces at once, and gives its rules their lines. A
 * failure changes nothing. Unless `seconds` is 0, the kernel goes back to the previous ruleset
 * after that time, if datapath_confirm() was not called. Returns -EBUSY if another change waits
 * to be confirmed.
 */
int datapath_commit(struct datapath *dp, struct ruleset *next, __u32 seconds);

/* Seconds until a change that waits to be confirmed is undone; 0 if none waits. */
__u32 datapath_pending(const struct datapath *dp);

/* Returns 0 if no change waits to be confirmed, else -EBUSY after saying so. */
int datapath_check_pending(const struct datapath *dp);

/* Keeps the change that waits to be confirmed. */
int datapath_confirm(struct datapath *dp);

/*
 * Makes the ruleset before the running one active again. Unless a change waits to be confirmed,
 * calls `check` first (if not NULL), and returns its error if it fails.
 */
int datapath_rollback(struct datapath *dp, int (*check)(const struct datapath *dp));

#endif
