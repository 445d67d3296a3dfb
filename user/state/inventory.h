/* SPDX-License-Identifier: GPL-2.0-only */
/* What listens here and what the rules let through, at one moment. */
#ifndef INVENTORY_H
#define INVENTORY_H

#include <jansson.h>

#include "state/ports.h"
#include "state/snapshot.h"

struct inventory {
	const char *iface; /* asked for; NULL: all that are attached, and not gone */
	struct prefix source; /* who looks; family 0: somebody whom no rule names */
	struct snapshot snapshot;
	const struct interface *interfaces; /* those that are looked at, */
	const struct stats *stats; /* what was counted on each, */
	size_t interface_count; /* and how many; 0: none is attached, so everything passes */
	struct listener *listeners; /* by key, then address */
	size_t listener_count;
	size_t hidden; /* those whose process cannot be seen */
	unsigned char *outside; /* families_outside() of each port key */
	struct outlook outlook;
};

/*
 * Takes it; `iface` and `source` have been set, the rest is zero. Returns 0 or a
 * negative errno, having said why. Clear it either way.
 */
int inventory_take(struct inventory *inventory);
void inventory_clear(struct inventory *inventory);

/* The listeners of a key, the first of *count. */
const struct listener *inventory_listeners(const struct inventory *inventory, __u32 key,
					   size_t *count);

/* The families (enum families) whose packets from other hosts one of them gets. */
unsigned char families_outside(const struct listener *listeners, size_t count);

/* Whether there is one for others on one of the ports that a term names. */
bool term_is_listened_to(const struct inventory *inventory, const struct term *term);

/* What was counted of a key; zeros where nothing is attached. */
struct port_counter inventory_counter(const struct inventory *inventory, __u32 key);

/* Whom to a key packets get, and whom they meet there: nobody, where only this host may. */
enum reach inventory_reach(const struct inventory *inventory, __u32 key);

/*
 * Whether it is a UDP port that programs get who did not ask for one: what is bound to
 * it waits for replies, most likely, and serves nobody.
 */
bool is_passing_port(__u32 key);

/* The same, but where a rule names the port, for others to come to it or not to. */
bool is_passing(const struct outlook *outlook, __u32 key);

/* Says what could not be seen, if anything. */
void inventory_note_hidden(const struct inventory *inventory);

/* {"program", "pid", "user", "address"}, and "unknown" that says why two of them are null. */
json_t *listener_json(const struct listener *listener);

/* "sshd", or "a program that cannot be seen". */
const char *listener_program(const struct listener *listener);

#endif
