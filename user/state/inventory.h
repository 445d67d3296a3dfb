/* SPDX-License-Identifier: GPL-2.0-only */
/* The listeners of this host and what the rules let through to them, at one moment. */
#ifndef INVENTORY_H
#define INVENTORY_H

#include <jansson.h>

#include "state/ports.h"
#include "state/snapshot.h"

struct inventory {
	const char *iface; /* the interface to look at; NULL: all whose device exists */
	struct prefix source; /* source of the packets; family 0: one that no rule names */
	struct snapshot snapshot;
	const struct interface *interfaces; /* the interfaces that are looked at */
	const struct stats *stats; /* of each of them */
	size_t interface_count; /* 0: none is attached, so everything passes */
	struct listener *listeners; /* sorted by key, then address */
	size_t listener_count;
	size_t hidden; /* listeners whose process is unknown */
	unsigned char *outside; /* for each port key: listeners_families() of its listeners */
	struct outlook outlook;
};

/*
 * Takes an inventory; `iface` and `source` have been set, the rest is zero. Returns 0 or a
 * negative errno after saying why. Clear with inventory_clear(), also after a failure.
 */
int inventory_take(struct inventory *inventory);

/* Frees everything but `iface` and `source`, so that the inventory can be taken again. */
void inventory_clear(struct inventory *inventory);

/* The listeners of a port key: the first of *count. */
const struct listener *inventory_listeners(const struct inventory *inventory, __u32 key,
					   size_t *count);

/* Whether other hosts can reach a listener on one of the ports that a term names. */
bool inventory_has_listener(const struct inventory *inventory, const struct term *term);

/* The counters of a port key, added up over the interfaces; zeros if none is attached. */
struct port_counter inventory_counter(const struct inventory *inventory, __u32 key);

/* Who can reach the listeners of a port key, by the rules and by their addresses. */
enum reach inventory_reach(const struct inventory *inventory, __u32 key);

/* Notes how many processes are unknown, and why, if there are any. */
void inventory_note_hidden(const struct inventory *inventory);

/*
 * A listener as JSON: {"program", "pid", "user", "address"}. If the process is unknown, the first
 * two are null and "unknown" says why.
 */
json_t *listener_json(const struct listener *listener);

/* The name of the process, or "a program that cannot be seen". */
const char *listener_program(const struct listener *listener);

#endif
