/* SPDX-License-Identifier: GPL-2.0-only */
/* One rule: its ports, its clauses, and what a knock adds. The model only, no text. */
#ifndef RULE_H
#define RULE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "portctl/entry.h"
#include "portctl/knock.h"
#include "rules/prefix.h"
#include "rules/term.h"

/* "limit": `count` packets in a `unit`, after a burst. */
struct limit {
	__u32 count; /* 0: no limit */
	char unit; /* 's', 'm', 'h' */
	__u32 burst; /* packets at once; 0: not given, the packets of one second */
	bool per_source;
};

#define KNOCK_NAME_MAX 31
#define KNOCK_MISSES 2 /* the default of "misses" */
#define KNOCK_SKEW 30 /* the default of "skew", in seconds, */
#define SKEW_MAX 3600 /* and its maximum */

/*
 * What a "knock" statement adds to a rule: how a source earns a grant for the rule's ports, the
 * door. `signed_key` and `secret` determine its kind: see knock_kind().
 */
struct knock {
	char name[KNOCK_NAME_MAX + 1];
	struct sequence sequences[SEQUENCES]; /* "after", "close" */
	__u32 seconds; /* "for": how long a grant lasts */
	__u32 window; /* "within": seconds that a whole sequence may take */
	__u32 misses; /* wrong touches that an attempt may have */
	__u32 signed_key; /* "spa": the port key that receives signed knocks; 0: none */
	__u32 skew; /* seconds that a signature's time may be off; 0: not a signed knock */
	char *keys; /* path of the signers' key file, or NULL */
	char *secret; /* "totp": path of the file with the secret, or NULL */
	__u32 steps; /* "totp": steps of a sequence, */
	struct term range; /* and the ports they are chosen from */
	bool once; /* a grant is for one connection */
	bool per_net; /* "per /64" */
};

struct rule {
	enum verdict action;
	struct term *terms; /* sorted, each once; none: sources alone */
	size_t term_count;
	struct prefix *sources; /* "from": sorted, each once; none: any source */
	size_t source_count;
	char iface[IFNAMSIZ]; /* "on"; empty: every interface */
	struct limit limit;
	__u32 seconds; /* "for"; 0: no end */
	char *comment; /* or NULL */
	struct knock *knock; /* or NULL: no grant needed */
	__u64 ends; /* nanoseconds since boot; 0: not running yet, or no end */
	__u64 since; /* nanoseconds since 1970 when it began to run; 0: not yet */
	__u32 door; /* number of the knock's door; 0: not assigned yet */
	__u32 line; /* enum line: counts its packets; 0: not assigned yet */
	__u32 limited_line; /* counts its packets over the limit */
	unsigned int
		row; /* line of the text, from 1; of a running rule, see ruleset_number() */
};

/* The unit of a limit in nanoseconds. */
static inline __u64 limit_unit(const struct limit *limit)
{
	__u64 seconds = limit->unit == 's' ? 1 : limit->unit == 'm' ? 60 : 3600;

	return seconds * 1000000000;
}

/* The nanoseconds from one packet of a limit to the next. `count` must not be 0. */
static inline __u64 limit_interval(const struct limit *limit)
{
	return limit_unit(limit) / limit->count ?: 1;
}

/* Whether the rule may decide about packets to a port key: it names the key, or no port. */
static inline bool rule_has_key(const struct rule *rule, __u32 key)
{
	for (size_t i = 0; i < rule->term_count; i++) {
		if (term_has_key(&rule->terms[i], key))
			return true;
	}
	return !rule->term_count;
}

#endif
