/* SPDX-License-Identifier: GPL-2.0-only */
/* What listens, what the rules let through, and so what an outsider sees of a port. */
#ifndef PORTS_H
#define PORTS_H

#include "compile.h"
#include "listeners.h"
#include "stats.h"

enum reach { REACH_NONE, REACH_GRANT, REACH_SOURCES, REACH_ALL };

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
};

/* A rule with more ports than this in a row does not name each of them. */
#define PORTS_NAMED 16

/* What ports are judged by. */
struct outlook {
	const struct ruleset *ruleset;
	const struct image *image; /* its, for the interface; NULL: everything passes */
	const struct prefix *source; /* who looks; NULL: somebody no rule names */
	__u64 now; /* nanoseconds since boot */
	unsigned char *marks; /* enum mark, of each port key */
};

/*
 * Reads the marks; the other fields have been set. Returns 0 or -ENOMEM; free with
 * outlook_clear().
 */
int outlook_prepare(struct outlook *outlook);
void outlook_clear(struct outlook *outlook);

/* Who is let through to a port key; of one source, whether it is. */
enum reach port_reach(const struct outlook *outlook, __u32 key);

/* What it sees there, where something listens (for others than this host) or nothing. */
enum port_state port_state(const struct outlook *outlook, __u32 key, bool listens);

/* Whether a term names that port key. */
bool term_has_key(const struct term *term, __u32 key);

#endif
