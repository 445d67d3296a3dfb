/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ruleset: the model that a file, the command line and the running filter all fill. It is
 * printed as ruleset_parse() reads it: parsing the printed text gives the same rules.
 */
#ifndef RULESET_H
#define RULESET_H

#include <stdio.h>

#include "rules/ruleset_options.h"
#include "rules/rule.h"

struct ruleset {
	enum verdict fallback; /* "default" */
	unsigned int fallback_row; /* the line that sets it; 0: none */
	enum verdict options[OPTIONS]; /* VERDICT_PASS or VERDICT_DROP: on or off */
	unsigned int option_rows[OPTIONS]; /* the lines that set them; 0: none */
	struct rule *rules;
	size_t count;
	size_t room;
};

/* Makes an empty ruleset, which lets everything pass. Free with ruleset_clear(). */
void ruleset_init(struct ruleset *ruleset);
void ruleset_clear(struct ruleset *ruleset);

/* Attribute: clears a ruleset, which must be initialised, when it goes out of scope. */
#define cleanup_ruleset __attribute__((cleanup(ruleset_clear)))

/* Frees what a rule holds and empties it. */
void rule_clear(struct rule *rule);

/*
 * Moves `rule` to the end of the ruleset, which then owns what it holds; *rule is emptied.
 * Returns 0, or -ENOSPC (over MAX_RULES) or -ENOMEM with *rule unchanged.
 */
int ruleset_add(struct ruleset *ruleset, struct rule *rule);

/* Removes the rule at `index`. */
void ruleset_remove(struct ruleset *ruleset, size_t index);

/* Removes the rules that have ended at `now` (nanoseconds since boot). */
void ruleset_drop_ended(struct ruleset *ruleset, __u64 now);

/*
 * Sets each rule's row to its number among the rules that have not ended at `now`
 * (nanoseconds since boot), from 1; rows of rules that have ended become 0.
 */
void ruleset_number(struct ruleset *ruleset, __u64 now);

/* Whether two rules name the same ports, sources and interface, or the same knock. */
bool rule_same_match(const struct rule *a, const struct rule *b);

/* Whether two rules are equal, comments included. */
bool rule_same(const struct rule *a, const struct rule *b);

/*
 * Whether `words` names `rule`: it says the same, though it may leave out clauses that do not
 * select packets (limit, for, comment).
 */
bool rule_is_meant(const struct rule *rule, const struct rule *words);

/* Whether `outer` names every port of `inner` as a term of its own, and the same sources. */
bool rule_covers(const struct rule *outer, const struct rule *inner);

/* The index of the first rule that says the same as `rule`; -1: none. */
long ruleset_find(const struct ruleset *ruleset, const struct rule *rule);

/* The rule whose packets a line counts, except packets over its limit; NULL: none. */
const struct rule *ruleset_line(const struct ruleset *ruleset, __u32 line);

/* When the next running rule ends, in nanoseconds since boot as `now` is; 0: none ends. */
__u64 ruleset_next_end(const struct ruleset *ruleset, __u64 now);

/* The knock whose door has that number; NULL: none. */
const struct rule *ruleset_door(const struct ruleset *ruleset, __u32 door);

/* Prints one rule, without a newline; its comment only if `comment` says so. */
void rule_print(const struct rule *rule, FILE *out, bool comment);

/* Returns the printed rule as a string to be freed, or NULL if memory runs out. */
char *rule_text(const struct rule *rule, bool comment);

/* Prints "default", and the options that differ from their initial value. */
void settings_print(const struct ruleset *ruleset, FILE *out);

/* Prints the whole ruleset, one statement a line, settings first. */
void ruleset_print(const struct ruleset *ruleset, FILE *out);

/* All rules of a ruleset as strings, without comments; list[i] is rule i. */
struct rule_texts {
	char *buffer;
	char **list;
};

/* Fills *texts. Returns 0 or -ENOMEM; free with rule_texts_clear() in both cases. */
int rule_texts_print(struct rule_texts *texts, const struct ruleset *ruleset);
void rule_texts_clear(struct rule_texts *texts);

/* Attribute: clears texts, which must be zeroed or filled, when they go out of scope. */
#define cleanup_rule_texts __attribute__((cleanup(rule_texts_clear)))

#endif
