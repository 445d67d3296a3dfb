/* SPDX-License-Identifier: GPL-2.0-only */
/* What listens, what the rules let through, and so what an outsider sees of a port. */
#ifndef PORTS_H
#define PORTS_H

#include "compile/compile.h"
#include "host/listeners.h"
#include "state/stats.h"
#include "compile/stranger.h"

/* REACH_DHCP: servers of DHCP, by the lifeline. */
enum reach { REACH_NONE, REACH_GRANT, REACH_DHCP, REACH_SOURCES, REACH_ALL };

/* As nmap calls them. */
enum port_state { STATE_OPEN, STATE_CLOSED, STATE_FILTERED, STATE_OPEN_OR_FILTERED };

const char *reach_name(enum reach reach);
const char *port_state_name(enum port_state state);

/* Bits of what the rules say of a port key. */
enum mark {
	MARK_NAMED = 1, /* a rule names it: not only as one of many (PORTS_NAMED) */
	MARK_ALLOWED = 2, /* a rule for packets to it lets in somebody, or everybody */
	MARK_SOURCES = 4, /* one lets in those from some sources */
	MARK_DOOR = 8, /* a knock opens it */
	MARK_ALLOWED_ALL = 16, /* one lets in everybody, or a knock does */
};

/* A rule with more ports than this in a row does not name each of them. */
#define PORTS_NAMED 16

/* What ports are judged by. */
struct outlook {
	const struct ruleset *ruleset;
	struct image *
		*images; /* its, of each interface; where it lets most in is what counts */
	size_t image_count; /* 0: everything passes */
	const struct prefix *source; /* who looks; NULL: somebody no rule names, */
	struct prefix strangers[STRANGERS]; /* who are these */
	__u64 doors; /* that he has a grant for: a bit for each, number 1 first */
	__u64 now; /* nanoseconds since boot */
	bool *in_force; /* of each rule: it is for one of the interfaces, and has not ended */
	unsigned char *marks; /* enum mark, of each port key, by the rules in force */
	__u32 *first_sources; /* of those with MARK_SOURCES, the first rule that gives it */
};

/*
 * Makes ready to judge by its ruleset on `count` interfaces, each of which may say
 * something else. Returns 0 or a negative errno, as compile() does.
 */
int outlook_prepare(struct outlook *outlook, const struct interface *interfaces, size_t count);

/* Frees what this has made, also after a failure. */
void outlook_clear(struct outlook *outlook);

/*
 * Who is let through to a port key with packets of one of the families (enum family
 * bits); of one source, whether it is.
 */
enum reach port_reach(const struct outlook *outlook, __u32 key, unsigned char families);

/* The rule that lets anybody through to it; NULL where none does, or it is the default. */
const struct rule *port_opener(const struct outlook *outlook, __u32 key);

/*
 * Whether it is this rule that decides, on some interface, about packets from the source
 * (a prefix: its first address; NULL: somebody whom no rule names).
 */
bool rule_decides(const struct outlook *outlook, const struct rule *rule, __u32 key,
		  const struct prefix *source);

/*
 * What is seen there, where something listens to packets of these families from other
 * hosts; 0: where nothing does.
 */
enum port_state port_state(const struct outlook *outlook, __u32 key, unsigned char families);

/* Whether a term names that port key. */
bool term_has_key(const struct term *term, __u32 key);

/* Whether a rule may say something of packets to it: it names it, or sources alone. */
bool rule_has_key(const struct rule *rule, __u32 key);

#endif
