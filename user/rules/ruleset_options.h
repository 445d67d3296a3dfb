/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of a ruleset ("option NAME VALUE"): the lifelines, and what happens to
 * fragments. One table holds all that the parser, the printer, the compiler, explain and help
 * know of an option; a new option is a new row.
 */
#ifndef RULESET_OPTIONS_H
#define RULESET_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/describe.h"
#include "rules/names.h"

enum rule_option {
	OPTION_FRAGMENTS,
	OPTION_ERRORS,
	OPTION_NEIGHBOURS,
	OPTION_ECHO,
	OPTION_DHCP,
	OPTIONS,
};

/* A key that an option decides about. */
struct option_key {
	__u32 key; /* enum key; 0: none */
	__u32 fallback; /* the key whose entry applies while the option is off */
};

struct option_info {
	const char *name;
	const char *pass; /* the value as rules spell it: packets pass */
	const char *drop; /* the other value */
	enum verdict initial; /* VERDICT_PASS or VERDICT_DROP, if the ruleset doesn't say */
	const char *reason; /* of a lifeline: why its packets pass, for explain */
	const char *help; /* for people: what it is about */
	bool lifeline; /* goes before every rule that names a port */
	struct option_key keys[2]; /* the packets it is about */
	enum entry_flag flag; /* ENTRY_DHCP: only those from DHCP servers; 0: all */
	enum line line; /* counts packets that it lets pass */
	enum line drop_line; /* counts packets that it drops; 0: `fallback` decides instead */
	__u32 rate; /* packets it lets pass per second unless the default is allow; 0: all */
	enum line limited_line; /* counts packets over `rate` */
};

extern const struct option_info option_table[OPTIONS];

/* The value of an option as rules spell it, for VERDICT_PASS or VERDICT_DROP. */
const char *option_value(enum rule_option option, enum verdict verdict);

/* The option whose packets a line counts; OPTIONS: none. */
enum rule_option option_of_line(enum line line);

/* Describes the lifelines, or the other options: for help, manual, completions. */
void options_describe(bool lifelines, describe_fn *describe, void *data);

#endif
