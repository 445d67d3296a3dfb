/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as JSON objects and as text, with names for the numbers in them. */
#ifndef EVENTS_H
#define EVENTS_H

#include <jansson.h>

#include "kernel/datapath_knock.h"
#include "portctl/event.h"

/* The name of a signing key. */
struct signer_name {
	__be32 number; /* key_number() */
	char name[32]; /* KEY_NAME_MAX + NUL */
};

/*
 * The name of an interface when it was attached. By now it may have another name, or be in
 * another network namespace.
 */
struct interface_name {
	unsigned int ifindex;
	char name[16]; /* IFNAMSIZ */
};

/* The names for the numbers in events. Valid until the rules change. */
struct event_names {
	const struct ruleset *ruleset;
	struct signer_name *signers;
	size_t signer_count;
	size_t signer_room;
	struct interface_name *interfaces;
	size_t interface_count;
};

/*
 * Collects the names of the interfaces, and of the signing keys in the ruleset's key files.
 * Keys of an unreadable file stay without names. Keeps a pointer to `ruleset`. Returns 0 or
 * -ENOMEM; call event_names_clear() in both cases.
 */
int event_names_read(struct event_names *names, const struct ruleset *ruleset,
		     const struct interface *interfaces, size_t count);
void event_names_clear(struct event_names *names);

/* The name of a kind, such as "drop" or "grant"; "unknown" for other numbers. */
const char *event_name(enum event_kind kind);

/* The kind with this name, or EVENT_NONE. */
enum event_kind event_kind(const char *name);

/* An event of the data path as a JSON object, or NULL if out of memory. */
json_t *event_json(const struct event *event, const struct event_names *names);

/*
 * An "expiry" event as a JSON object: a grant reached its deadline. The data path reports no
 * event for that. Returns NULL if out of memory.
 */
json_t *expiry_json(const struct granted *granted, const struct event_names *names);

/* Events of sockets and ports, which user space finds out (port_watch). */
enum port_event {
	PORT_LISTEN, /* a socket begins to listen */
	PORT_GONE, /* a socket stops listening */
	PORT_STATE, /* the state of a port, as seen from outside, changes */
	PORT_EVENTS,
};

/* "listen", "gone" or "state". */
const char *port_event_name(enum port_event event);

/* The event with this name, or PORT_EVENTS. */
enum port_event port_event(const char *name);

/*
 * A PORT_LISTEN or PORT_GONE event as a JSON object. `time` is nanoseconds since boot.
 * `listener` is the result of listener_json(), which is freed.
 */
json_t *listener_event_json(enum port_event event, __u64 time, __u32 key, json_t *listener);

/* A PORT_STATE event as a JSON object: the state now, and the state before. */
json_t *state_event_json(__u64 time, __u32 key, const char *state, const char *was);

/* Prints an event, as one of the functions above made it, as a line of text. */
void event_print(const json_t *event, FILE *out);

#endif
