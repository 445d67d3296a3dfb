/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data path in the kernel, as commands use it. user/kernel is the only folder of user/ that
 * calls libbpf. Its headers for other folders are:
 *
 *   datapath.h           opening, interfaces, attaching and detaching
 *   datapath_rules.h     the running ruleset: reading, changing, confirming, rolling back
 *   datapath_knock.h     grants, attempts, lockouts and timed sequences
 *   datapath_events.h    watching events
 *   datapath_trial.h     programs that filter nothing: explain and replay
 *   datapath_listen.h    events of sockets that start or stop to listen
 *   counters.h           packet and byte counters
 *   needs.h              features that the kernel must have, and what an errno means
 *
 * Everything is pinned below $PORTCTL_BPFFS (/sys/fs/bpf/portctl). Each network namespace has a
 * folder there, whose name is the namespace's cookie:
 *
 *   COOKIE/control               struct control: the active generation
 *   COOKIE/ruleset0, ruleset1    the text of each slot's ruleset, and the lines of its rules
 *   COOKIE/ruleset0_next, ruleset1_next    the same of a slot that is being filled
 *   COOKIE/way_back              the timer of a change that waits to be confirmed
 *   COOKIE/flows, flow_ends      conversations that began here
 *   COOKIE/attempts, windows, grants, lockouts, signers, last_signed, door_counts    knocking
 *   COOKIE/events, event_counts  the ring buffers of watchers, and how many events they got
 *   COOKIE/IFACE/link            the link that keeps the program on the interface
 *   COOKIE/IFACE/table           struct generation for each slot, and struct sampling
 *   COOKIE/IFACE/counters, cpu_counters, buckets, source_buckets
 *   COOKIE/IFACE/details, sources    maps in maps, with an inner map for each slot:
 *   COOKIE/IFACE/details0, details1, sources0, sources1
 *
 * Unless their comment says otherwise, functions return 0 or a negative errno, and print the
 * reason of a failure on standard error.
 */
#ifndef DATAPATH_H
#define DATAPATH_H

#include <limits.h>
#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "portctl/control.h"
#include "portctl/counters.h"
#include "portctl/event.h"
#include "portctl/generation.h"

struct interface {
	char name[IFNAMSIZ]; /* when it was attached; rules and pins use this name */
	char device[IFNAMSIZ]; /* now: differs from `name` if the device was renamed */
	unsigned int ifindex; /* 0: the device is gone */
	const char *mode; /* "native", "generic" or "offload"; "gone": the device is gone */
	time_t attached_at; /* seconds since 1970 */
	struct generation *table; /* one for each of the two slots; shared with the kernel */
	struct sampling *sampling; /* shared with the kernel */
	struct counters *counters; /* shared with the kernel; see datapath_map_counters() */
	struct cpu_counters *cpu_counters; /* an array, one for each of `cpus` CPUs */
	size_t cpus;
	__u32 mapped; /* the number of lines whose counters are mapped, or ALL_COUNTERS */
};

struct datapath {
	int lock; /* descriptor of the lock file; -1: not locked */
	char path[PATH_MAX - 64]; /* the folder of this network namespace's pins */
	struct control *control; /* shared with the kernel; NULL: nothing attached, no rules */
	struct interface *interfaces; /* sorted by name */
	size_t count;
	size_t room;
};

/* Several readers can hold the lock at once, but only one writer. */
enum datapath_access { DATAPATH_READ, DATAPATH_WRITE };

/*
 * Waits for the lock, then opens the pins of this network namespace. Refuses pins of another
 * schema. Close with datapath_close(), also after a failure.
 */
int datapath_open(struct datapath *dp, enum datapath_access access);
void datapath_close(struct datapath *dp);

/* The value of a datapath that was not opened: closing it does nothing. */
#define DATAPATH_CLOSED ((struct datapath){ .lock = -1 })

/* Attribute: closes a datapath, initially DATAPATH_CLOSED, at the end of its scope. */
#define cleanup_datapath __attribute__((cleanup(datapath_close)))

/*
 * Gives the lock back. Call this before printing something long, since the reader of the output
 * may be slow. What was read stays in memory until datapath_close(), but nothing more may be
 * read from the data path.
 */
void datapath_unlock(struct datapath *dp);

/* The interface that was attached under this name, or NULL. */
struct interface *datapath_interface(const struct datapath *dp, const char *name);

/* The attached interface whose device has this name now, or NULL. */
struct interface *datapath_device(const struct datapath *dp, const char *device);

/* The first interface whose device exists; else the first interface; NULL if none is attached. */
const struct interface *datapath_first(const struct datapath *dp);

/* Whether the device no longer exists in this network namespace. */
bool interface_gone(const struct interface *iface);

/* Whether the device was renamed since it was attached. */
bool interface_renamed(const struct interface *iface);

/*
 * Whether the egress program is still on the interface. Another program may have removed clsact,
 * and the kernel removes it if the device moves to another network namespace. Returns true if
 * the kernel does not say.
 */
bool interface_watched(const struct interface *iface);

enum attach_mode { ATTACH_AUTO, ATTACH_NATIVE, ATTACH_GENERIC };

/*
 * Attaches to an interface. If it is attached already, replaces its program in place and keeps
 * its counters. The running ruleset judges its first packet. With `replace`, removes another
 * XDP program that is on the interface.
 */
int datapath_attach(struct datapath *dp, const char *name, enum attach_mode mode, bool replace);

/*
 * Replaces the program of an attached interface whose device exists, even if another device has
 * its former name now. Updates *iface in place.
 */
int datapath_update(struct datapath *dp, const struct interface *iface, enum attach_mode mode);

/* Detaches an interface. Detaching the last one removes the running ruleset too. */
int datapath_detach(struct datapath *dp, const char *name);

/* Removes everything that is left of this network namespace. Nothing may be attached. */
int datapath_remove(struct datapath *dp);

/*
 * The memory, in bytes, of the maps that are pinned for an interface, or (`iface` NULL) of the
 * maps that all interfaces share.
 */
__u64 datapath_memory(const struct datapath *dp, const char *iface);

/* Reads how many flows were not remembered, since the flow table was made, for lack of room. */
int datapath_refused_flows(const struct datapath *dp, __u64 *refused);

#endif
