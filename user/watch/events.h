/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as they are shown: with names for numbers. */
#ifndef EVENTS_H
#define EVENTS_H

#include <jansson.h>

#include "kernel/datapath.h"

/* The name of a key that may sign, by its number. */
struct signer_name {
	__be32 number;
	char name[32];
};

/* What portctl calls an interface, which may be elsewhere, or be called otherwise, by now. */
struct interface_name {
	unsigned int ifindex;
	char name[16];
};

/* What numbers in events mean, as long as the rules stay the same. */
struct event_names {
	const struct ruleset *ruleset;
	struct signer_name *signers;
	size_t signer_count;
	size_t signer_room;
	struct interface_name *interfaces;
	size_t interface_count;
};

/*
 * Reads who may sign in a ruleset's key files; those that cannot be read have no
 * names. Returns 0 or -ENOMEM; free with event_names_clear() either way.
 */
int event_names_read(struct event_names *names, const struct ruleset *ruleset,
		     const struct interface *interfaces, size_t count);
void event_names_clear(struct event_names *names);

/* "drop", "grant", ...: EVENT_KINDS of them. */
const char *event_name(enum event_kind kind);

/* The kind of that name, or EVENT_NONE. */
enum event_kind event_kind(const char *name);

/* An event as an object of its own, or NULL where memory ends. */
json_t *event_json(const struct event *event, const struct event_names *names);

/* The same of a grant that ended by itself, which the data path does not notice. */
json_t *expiry_json(const struct granted *granted, const struct event_names *names);

/* Events that the data path has no part in: what listens, and what is seen of it. */
enum port_event {
	PORT_LISTEN, /* a socket begins to listen */
	PORT_GONE, /* and ceases to */
	PORT_STATE, /* what the outside sees of a port changes */
	PORT_EVENTS,
};

/* "listen", "gone", "state". */
const char *port_event_name(enum port_event event);

/* The event of that name, or PORT_EVENTS. */
enum port_event port_event(const char *name);

/*
 * PORT_LISTEN or PORT_GONE of a socket ({"program", "pid", "user", "address"} in
 * `listener`, which is freed), PORT_STATE of a port, with what it was.
 */
json_t *listener_event_json(enum port_event event, __u64 time, __u32 key, json_t *listener);
json_t *state_event_json(__u64 time, __u32 key, const char *state, const char *was);

/* Prints such an object as a line for people. */
void event_print(const json_t *event, FILE *out);

#endif
