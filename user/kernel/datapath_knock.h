/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of knocking: grants, attempts, lockouts, timed sequences and counts. Functions
 * return 0 or a negative errno after saying why, unless their comment says otherwise.
 */
#ifndef DATAPATH_KNOCK_H
#define DATAPATH_KNOCK_H

#include "kernel/datapath.h"
#include "portctl/knock.h"
#include "rules/ruleset.h"

/* A grant, as it is listed. */
struct granted {
	struct grant_key key;
	struct grant grant;
};

/* Lists the grants that have not ended, unsorted. Free *list. */
int datapath_grants(const struct datapath *dp, struct granted **list, size_t *count);

/* Lists the grants that ended after `from`, up to and including `to` (nanoseconds since boot). */
int datapath_ended_grants(const struct datapath *dp, __u64 from, __u64 to,
			  struct granted **list, size_t *count);

/*
 * The doors of a ruleset's knocks that are open to `source` by one of these grants. Bit 0 is
 * door 1.
 */
__u64 datapath_granted_doors(const struct granted *list, size_t count,
			     const struct ruleset *ruleset, const struct prefix *source);

/* Makes or renews a grant until `deadline` (nanoseconds since boot). */
int datapath_grant(const struct datapath *dp, const struct grant_key *key, __u64 deadline);

/* Removes a grant. Returns -ENOENT, and prints nothing, if there is no such grant. */
int datapath_revoke(const struct datapath *dp, const struct grant_key *key);

/* A source that failed too often, as it is listed. */
struct locked_out {
	struct lockout_key key;
	struct lockout lockout;
};

/* Lists the sources that are locked out now, unsorted. Free *list. */
int datapath_lockouts(const struct datapath *dp, struct locked_out **list, size_t *count);

/*
 * Copies all attempts, including old ones: 64-bit integers whose bits are described in
 * portctl/knock.h. Free *words.
 */
int datapath_attempts(const struct datapath *dp, __u64 **words, size_t *count);

/*
 * Sets the sequences of a timed door to `list`, valid for `seconds` from now. With `list` NULL,
 * only extends the time. Returns -ENOENT, and prints nothing, if nothing is attached.
 */
int datapath_windows(const struct datapath *dp, __u32 door, const struct window list[WINDOWS],
		     __u32 seconds);

/* Whether a timed door has sequences that are valid now, so "portctl knock serve" runs. */
bool datapath_is_timed(const struct datapath *dp, __u32 door);

/* Reads the counts of a door, given by its number. */
int datapath_door_counts(const struct datapath *dp, __u32 door, struct door_counts *counts);

#endif
