/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From ruleset to map image: pure functions, no kernel in sight.
 *
 * The most specific rule wins, whatever the order: first rules without ports;
 * then the narrowest port range, in it one protocol before both, in it the
 * longest source prefix, then doors, in it a named interface before all. A rule that does
 * not apply (another source, its time over) leaves the packet to the next.
 */
#ifndef COMPILE_H
#define COMPILE_H

#include "portctl/detail.h"
#include "portctl/entry.h"
#include "portctl/generation.h"
#include "rules/report.h"
#include "rules/ruleset.h"

/* Levels that can stand one behind the other at one key. */
#define CHAIN_MAX 12

/* What is said about one prefix of a group. */
struct source_entry {
	struct prefix prefix;
	__u32 group;
	__u32 kind; /* as source_kind() makes it */
	entry_t entry;
};

/* More rules one behind the other than a packet may ask. */
struct excess {
	const struct rule *rule; /* the last of them in the text */
	__u32 key; /* where they are; KEYS: they name no port */
};

/* One interface's generation, before it is put into maps. */
struct image {
	struct generation table;
	struct detail *details;
	size_t detail_count;
	size_t detail_room;
	struct source_entry *sources; /* by group, and in each by prefix_compare() */
	size_t source_count;
	size_t source_room;
	struct excess excess; /* what -E2BIG is about */
};

/*
 * Fills *image, which was zeroed, with what packets on `iface` are judged by.
 * Every rule must have its lines. Where `used` is not NULL, used[i] is set to 1
 * for each rule i that can decide about a packet. Returns 0, -ENOMEM, or -E2BIG
 * where more rules stand one behind the other than a packet may ask
 * (CHAIN_MAX, DETAIL_ENDING): image->excess. Free with image_clear(), also after
 * a failure.
 */
int compile(const struct ruleset *ruleset, const char *iface, struct image *image,
	    unsigned char *used);
void image_clear(struct image *image);

/* Attribute: clears an image, which must be zeroed or compiled, at the end of its scope. */
#define cleanup_image __attribute__((cleanup(image_clear)))

/* Whether what DHCP servers send there is let in before any rule that names a port. */
bool is_for_dhcp(const struct ruleset *ruleset, __u32 key);

/*
 * Compiles it as it is where no rule names the interface (""), and then for each one
 * that rules name, and has each image looked at, also the one of which compile() said
 * -E2BIG; `used` is as above. Returns 0 or a negative errno, as compile() does.
 */
int compile_each(const struct ruleset *ruleset, unsigned char *used,
		 void (*look)(const struct image *image, const char *iface, void *data),
		 void *data);

/*
 * Reports pairs of rules that contradict each other (errors) and, from the rule
 * at index `first` on, rules that can never match (warnings). Returns 0, -EINVAL
 * where there are errors, -ENOMEM.
 */
int ruleset_check(const struct ruleset *ruleset, size_t first, struct report *report);

/*
 * The same for knocks alone: errors where two have a name, where a rule lets everybody
 * through the door on interfaces that no rule names, or where there are more than
 * MAX_DOORS; warnings, from the rule at index `first` on, where a sequence is weak.
 * Returns 0, -EINVAL or -ENOMEM.
 */
int knocks_check(const struct ruleset *ruleset, size_t first, struct report *report);

/*
 * Checks a ruleset that was made of the running one: reports all errors, and the
 * warnings that the running one does not give cause for. Returns as ruleset_check().
 */
int ruleset_check_change(const struct ruleset *next, const struct ruleset *running,
			 struct report *report);

/*
 * Counts an error or a warning (`counter` is one of the report's own) and prints where
 * it is: where the rule stands in a file. The command line (`unit`) is one line.
 */
void report_at(struct report *report, unsigned int *counter, const struct rule *rule);

/*
 * Gives every rule of `next` its lines: those it has in `active`, so that its
 * counters go on, or else ones that no rule of `active` has. A rule that ends and
 * is kept ends when it would have, unless `next` says when. Returns 0, -ENOMEM, or
 * -EUSERS where there are not enough lines. Knocks get their doors alike.
 */
int assign_lines(struct ruleset *next, const struct ruleset *active);

#endif
