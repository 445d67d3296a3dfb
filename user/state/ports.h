/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rules let through to a port, and what an outsider sees of it. */
#ifndef PORTS_H
#define PORTS_H

#include "compile/image.h"
#include "host/listeners.h"
#include "state/stats.h"
#include "compile/stranger.h"

/*
 * Who can reach a port: nobody, sources with a grant, DHCP servers by the lifeline, some sources,
 * everybody.
 */
enum reach { REACH_NONE, REACH_GRANT, REACH_DHCP, REACH_SOURCES, REACH_ALL };

/* The state of a port as an outsider sees it, in nmap's words. */
enum port_state { STATE_OPEN, STATE_CLOSED, STATE_FILTERED, STATE_OPEN_OR_FILTERED };

/* Their names, as tables and JSON show them. */
const char *reach_name(enum reach reach);
const char *port_state_name(enum port_state state);

/* What the rules in force say of a port key, as bits. */
enum mark {
	MARK_NAMED = 1, /* a rule names the port, alone or in a short range (PORTS_NAMED) */
	MARK_ALLOWED = 2, /* a rule for the port allows some sources, or everybody */
	MARK_SOURCES = 4, /* a rule allows some sources */
	MARK_DOOR = 8, /* a knock opens the port */
	MARK_ALLOWED_ALL = 16, /* a rule allows everybody, or a knock opens the port */
};

/* A range of more ports than this does not name each of them. */
#define PORTS_NAMED 16

/* A ruleset on some interfaces, as it treats one source or a stranger. */
struct outlook {
	const struct ruleset *ruleset;
	struct image **images; /* the ruleset compiled, for each interface */
	size_t image_count; /* 0: attached nowhere, so everything passes */
	const struct prefix *source; /* the source that packets come from; NULL: a stranger */
	struct prefix strangers[STRANGERS]; /* addresses that no rule names, if there are any */
	__u64 doors; /* doors that the source has a grant for; bit 0 is door 1 */
	__u64 now; /* nanoseconds since boot */
	bool *in_force; /* for each rule: it is for one of the interfaces, and not expired */
	unsigned char *marks; /* enum mark bits for each port key */
	__u32 *first_sources; /* for each key with MARK_SOURCES: index of its first such rule */
};

/*
 * Prepares an outlook on `count` interfaces; `ruleset`, `source`, `doors` and `now` have been
 * set. If the interfaces differ, the one that lets most in counts. Returns 0 or a negative
 * errno, as compile() does, and prints nothing. Clear with outlook_clear(), also after a failure.
 */
int outlook_prepare(struct outlook *outlook, const struct interface *interfaces, size_t count);

void outlook_clear(struct outlook *outlook);

/*
 * Who can reach a port key with packets of one of the families (enum families bits). If the
 * outlook has a source: REACH_ALL if this source can.
 */
enum reach port_reach(const struct outlook *outlook, __u32 key, unsigned char families);

/* The rule that lets strangers reach a port key; NULL if no rule does, or the default. */
const struct rule *port_opener(const struct outlook *outlook, __u32 key);

/*
 * Whether this rule decides, on some interface, about packets to a port key from `source` (for a
 * prefix: its first address; NULL: a stranger).
 */
bool port_is_decided_by(const struct outlook *outlook, const struct rule *rule, __u32 key,
			const struct prefix *source);

/*
 * The state of a port as an outsider sees it. `families`: those in which a listener receives
 * packets from other hosts; 0: nothing listens.
 */
enum port_state port_state(const struct outlook *outlook, __u32 key, unsigned char families);

/*
 * Whether a port key is in the kernel's range of ephemeral UDP ports. A socket on such a port
 * most likely waits for replies and serves nobody.
 */
bool port_is_ephemeral(__u32 key);

/* Whether a port key is an ephemeral UDP port that no rule names. */
bool port_is_unnamed(const struct outlook *outlook, __u32 key);

#endif
