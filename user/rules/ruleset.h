/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ruleset: the model that a file, the command line and the running filter
 * all fill, and its one parser and one printer. Printing what was parsed and
 * parsing it again gives the same rules.
 */
#ifndef RULESET_H
#define RULESET_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "portctl/entry.h"
#include "portctl/knock.h"
#include "rules/names.h"

/* Ports first..last (host byte order, both included), or one IP protocol. */
struct term {
	__u8 transports; /* enum transport; 0: an IP protocol without ports */
	__u8 protocol; /* its number, where transports is 0 */
	__u16 first;
	__u16 last;
};

/* "from": addresses that share their first `length` bits. */
struct prefix {
	__u8 family; /* 4 or 6 */
	__u8 length; /* bits, at most 32 or 128 */
	__u8 address[16]; /* network byte order; IPv4 in the first four */
};

/* "limit": `count` packets in `unit`, after a burst; count 0: no limit. */
struct limit {
	__u32 count;
	char unit; /* 's', 'm', 'h' */
	__u32 burst; /* packets at once; 0: not said, as many as in a second */
	bool per_source;
};

#define KNOCK_NAME_MAX 31
#define KNOCK_MISSES 2 /* where it is not said */
#define KNOCK_SKEW 30
#define SKEW_MAX 3600

/* "knock": a door that a sequence of touches opens for who made them. */
struct knock {
	char name[KNOCK_NAME_MAX + 1];
	struct sequence sequences[SEQUENCES]; /* "after", "close" */
	__u32 seconds; /* "for": how long it is open */
	__u32 window; /* "within": how long the steps may take, in seconds */
	__u32 misses; /* how many wrong touches an attempt may have */
	__u32 signed_key; /* "spa": the port key where signed knocks are heard; 0: none */
	__u32 skew; /* by how many seconds a signature's time may be off */
	char *keys; /* the file of who may sign, or NULL */
	char *secret; /* "totp": the file of what its sequences are made from, or NULL */
	__u32 steps; /* how many each of them has, */
	struct term range; /* and which ports they are of */
	bool once; /* for one connection */
	bool per_net; /* "per /64" */
};

struct rule {
	enum verdict action;
	struct term *terms; /* sorted, no two the same; none: "from" alone */
	size_t term_count;
	struct prefix *sources; /* sorted, no two the same; none: everybody */
	size_t source_count;
	char iface[IFNAMSIZ]; /* "on": empty means every interface */
	struct limit limit;
	__u32 seconds; /* "for"; 0: for ever */
	__u64 ends; /* nanoseconds since boot, once it runs; 0: not yet */
	__u64 since; /* nanoseconds since 1970: when it began to run; 0: not yet */
	char *comment; /* or NULL */
	struct knock *knock; /* or NULL: then it is for all its sources */
	__u32 door; /* the number of a knock's door, once it has one; 0: none */
	__u32 line; /* enum line: what its packets are charged to */
	__u32 limited_line; /* the same for those over its limit */
	unsigned int row; /* where it stood in the text, from 1; if it runs, ruleset_number() */
};

enum rule_option {
	OPTION_FRAGMENTS,
	OPTION_ERRORS,
	OPTION_NEIGHBOURS,
	OPTION_ECHO,
	OPTION_DHCP,
	OPTIONS,
};

struct ruleset {
	enum verdict fallback; /* "default" */
	unsigned int fallback_row; /* 0: not said */
	enum verdict options[OPTIONS]; /* pass (the default) or drop: on or off */
	unsigned int option_rows[OPTIONS];
	struct rule *rules;
	size_t count;
	size_t room;
};

/* Collects what is wrong with a text: one line each, "FILE:LINE:COLUMN: ...". */
struct report {
	FILE *out;
	const char *file; /* "argv" for the command line */
	const char *unit; /* what a rule's row counts; NULL: "line" */
	bool no_comments; /* a "#" begins none: nobody means one on a command line */
	const unsigned char *listening; /* port keys something listens on; NULL: unknown */
	unsigned int errors;
	unsigned int warnings;
};

/* An empty ruleset: everything passes. Free with ruleset_clear(). */
void ruleset_init(struct ruleset *ruleset);
void ruleset_clear(struct ruleset *ruleset);

/* Attribute: clears a ruleset, which must be initialised, when it goes out of scope. */
#define cleanup_ruleset __attribute__((cleanup(ruleset_clear)))

/*
 * Parses text into *ruleset, which must be initialised and may already hold
 * rules. Everything wrong is reported. Returns 0, -EINVAL if anything was
 * wrong, -ENOSPC over MAX_RULES, -ENOMEM.
 */
int ruleset_parse(struct ruleset *ruleset, const char *text, struct report *report);

/* Prints the whole ruleset, one statement a line, "default" first. */
void ruleset_print(const struct ruleset *ruleset, FILE *out);

/* Prints "default" and the options that are not as they are from the start. */
void settings_print(const struct ruleset *ruleset, FILE *out);

/* Prints one rule without a newline; its comment only if asked for. */
void rule_print(const struct rule *rule, FILE *out, bool comment);

/* The printed rule as a string to be freed, or NULL where memory ends. */
char *rule_text(const struct rule *rule, bool comment);

/* Every rule printed without its comment; list[i] is that of rule i. */
struct rule_texts {
	char *buffer;
	char **list;
};

/* Prints them all. Returns 0 or -ENOMEM; free with rule_texts_clear() either way. */
int rule_texts_print(struct rule_texts *texts, const struct ruleset *ruleset);
void rule_texts_clear(struct rule_texts *texts);

/* What an option is called, and its two values as rules spell them. */
struct option_words {
	const char *name;
	const char *pass;
	const char *drop;
};

extern const struct option_words option_words[OPTIONS];

/* The parts of a rule that several kinds have, as rules spell them. */
void terms_print(const struct rule *rule, FILE *out);
void time_print(__u32 seconds, FILE *out);
void knock_print(const struct rule *rule, FILE *out);

/* Prints one term as rules spell it, as in "6000-6100/udp". */
void term_print(const struct term *term, FILE *out);

/*
 * Parses one port, range, service or protocol name of `length` characters into
 * terms[0..1] (a service can have two ports). Returns how many, or -EINVAL with
 * the reason in *expected.
 */
int term_parse(const char *text, size_t length, struct term terms[2], const char **expected);

/* The unit of a limit, and the time from one of its packets to the next, in nanoseconds. */
__u64 limit_unit(const struct limit *limit);
__u64 limit_interval(const struct limit *limit);

/* Whether two rules name the same ports on the same interface. */
bool rule_same_match(const struct rule *a, const struct rule *b);

/* Whether two rules say the same, their comments too. */
bool rule_same(const struct rule *a, const struct rule *b);

/* Where a rule that says the same stands, from 0 on; -1 where none does. */
long ruleset_find(const struct ruleset *ruleset, const struct rule *rule);

/* Whether every port that `inner` names is named by `outer` in the same words. */
bool rule_covers(const struct rule *outer, const struct rule *inner);

/*
 * Moves `rule` to the end of the ruleset, which owns it from then on; *rule is
 * emptied. Returns 0, -ENOSPC over MAX_RULES or -ENOMEM (then *rule is kept).
 */
int ruleset_add(struct ruleset *ruleset, struct rule *rule);

/* The rule that has that line (not what is over its limit), or NULL. */
const struct rule *ruleset_line(const struct ruleset *ruleset, __u32 line);

/* When the first rule ends, of those that run at `now` (since boot); 0: none does. */
__u64 ruleset_next_end(const struct ruleset *ruleset, __u64 now);

/* The knock whose door has that number, or NULL. */
const struct rule *ruleset_door(const struct ruleset *ruleset, __u32 door);

/* Removes the rule at `index`. */
void ruleset_remove(struct ruleset *ruleset, size_t index);

/* Removes the rules that have ended at `now` (nanoseconds since boot). */
void ruleset_drop_ended(struct ruleset *ruleset, __u64 now);

/*
 * Makes each rule's row its number among those that have not ended at `now`; one that
 * has has none: 0.
 */
void ruleset_number(struct ruleset *ruleset, __u64 now);

/* Frees what a rule holds. */
void rule_clear(struct rule *rule);

#endif
