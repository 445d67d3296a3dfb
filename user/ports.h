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

/* What ports are judged by. */
struct outlook {
	const struct ruleset *ruleset;
	const struct image *image; /* its, for the interface; NULL: everything passes */
	const struct prefix *source; /* who looks; NULL: somebody no rule names */
	__u64 now; /* nanoseconds since boot */
};

/* Who is let through to a port key; of one source, whether it is. */
enum reach port_reach(const struct outlook *outlook, __u32 key);

/* What it sees there, where something listens (for others than this host) or nothing. */
enum port_state port_state(const struct outlook *outlook, __u32 key, bool listens);

/* Whether a rule names the port: not only as one of a range of more than this many. */
#define PORTS_NAMED 16
bool port_is_named(const struct ruleset *ruleset, __u32 key);

#endif
