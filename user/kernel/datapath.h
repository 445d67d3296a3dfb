/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's side as the commands see it: interfaces, the running ruleset and
 * the counters. The files datapath*.c are the only ones that use libbpf.
 *
 * Everything is pinned, below $PORTCTL_BPFFS (/sys/fs/bpf/portctl), in a folder
 * for each network namespace, named after its cookie:
 *
 *   COOKIE/control                the active generation, shared by all interfaces
 *   COOKIE/ruleset0, ruleset1     the text of each slot's ruleset, and its lines
 *   COOKIE/ruleset0_next, ruleset1_next    what it is being filled with, meanwhile
 *   COOKIE/IFACE/link             what holds the program on the interface
 *   COOKIE/way_back               the timer of a change that waits to be confirmed
 *   COOKIE/flows, flow_ends       conversations begun from here, shared as well
 *   COOKIE/attempts, windows, grants, lockouts, signers, last_signed, door_counts
 *                                 of knocking, shared
 *   COOKIE/events, event_counts   for those who watch, shared
 *   COOKIE/IFACE/table, counters, buckets, source_buckets
 *   COOKIE/IFACE/details, sources               with a map for each slot in them:
 *   COOKIE/IFACE/details0, details1, sources0, sources1
 *
 * Every function returns 0 or a negative errno, and has said why on standard
 * error where it failed.
 */
#ifndef DATAPATH_H
#define DATAPATH_H

#include <limits.h>
#include <time.h>

#include "rules/ruleset.h"
#include "tally.h"

struct interface {
	char name[IFNAMSIZ]; /* when it was attached: what rules and pins have */
	char device[IFNAMSIZ]; /* now; the same, unless it was renamed since */
	unsigned int ifindex; /* 0: the device is gone */
	const char *mode; /* "native", "generic", "offload" */
	time_t attached_at; /* seconds since 1970 */
	struct generation *table; /* two slots, shared with the kernel */
	struct sampling *sampling; /* behind them */
	struct counters *counters; /* shared as well; see datapath_map_counters() */
	struct cpu_counters *cpu_counters; /* one for each of so many CPUs */
	size_t cpus;
	__u32 mapped; /* so many lines of the counters, or ALL_COUNTERS */
};

struct datapath {
	int lock;
	char path[PATH_MAX - 64]; /* of this network namespace's pins */
	struct control *control; /* NULL: nothing attached, no rules */
	struct interface *interfaces;
	size_t count;
	size_t room;
};

/* What a rule of a stored ruleset is charged to. */
struct stored_rule {
	__u32 line;
	__u32 limited_line; /* 0: it has no limit */
	__u32 verdict;
	__u32 door; /* 0: it is no knock */
	__u64 ends; /* nanoseconds since boot; 0: never */
	__u64 since; /* nanoseconds since 1970: when it began to run */
};

/* For reading several processes may be in at a time, for writing one. */
enum datapath_access { DATAPATH_READ, DATAPATH_WRITE };

/*
 * Waits for its turn and opens what this network namespace has. Pins of another
 * schema are refused. Close with datapath_close(), also after a failure.
 */
int datapath_open(struct datapath *dp, enum datapath_access access);
void datapath_close(struct datapath *dp);

/* What a datapath is before datapath_open(): closing it does nothing. */
#define DATAPATH_CLOSED ((struct datapath){ .lock = -1 })

/* Attribute: closes a datapath, which was DATAPATH_CLOSED at first, at the end of its scope. */
#define cleanup_datapath __attribute__((cleanup(datapath_close)))

/*
 * Lets others have their turn: before anything long is printed, since whoever reads that
 * may take their time. What was read is there until datapath_close(), but no more is to be.
 */
void datapath_unlock(struct datapath *dp);

/*
 * Maps the counters of every interface, unless they are: so many lines, from the first on,
 * or ALL_COUNTERS, which takes longer than all else that is opened. Returns 0 or a
 * negative errno, having said why.
 */
#define ALL_COUNTERS UINT_MAX
int datapath_map_counters(struct datapath *dp, __u32 lines);

/* The interface of that name, or NULL. */
struct interface *datapath_interface(const struct datapath *dp, const char *name);

/* The attached interface that is called so now, or NULL. */
struct interface *datapath_device(const struct datapath *dp, const char *device);

/* Whether its device is gone, and nothing comes in there any more. */
bool interface_gone(const struct interface *iface);

/* The first whose device is there; where none is, the first; NULL where none is attached. */
const struct interface *datapath_first(const struct datapath *dp);

/* Whether it was renamed since it was attached, and lives under the other name. */
bool interface_renamed(const struct interface *iface);

/*
 * Whether what leaves an attached interface is watched still: another program may have
 * removed clsact, as the kernel does where a device goes to another network namespace.
 * True where that cannot be told.
 */
bool interface_watched(const struct interface *iface);

enum attach_mode { ATTACH_AUTO, ATTACH_NATIVE, ATTACH_GENERIC };

/*
 * Attaches to an interface, or replaces the program there in place, counters
 * kept. The interface is judged by the running ruleset from its first packet on.
 * `replace`: take the place of another's XDP program.
 */
int datapath_attach(struct datapath *dp, const char *name, enum attach_mode mode, bool replace);

/*
 * Replaces the program of an interface that is not gone, whatever has its former name now.
 * `iface` stays where it is, and is what it is then.
 */
int datapath_update(struct datapath *dp, const struct interface *iface, enum attach_mode mode);

/* Detaches; with the last interface the running ruleset goes too. */
int datapath_detach(struct datapath *dp, const char *name);

/* Removes what is left of this namespace, its rules, once nothing is attached. */
int datapath_remove(struct datapath *dp);

/*
 * Reads the running ruleset, lines included, into an initialised *ruleset. Rules that
 * have ended are in it, since what they have counted is, until the next change.
 */
int datapath_ruleset(const struct datapath *dp, struct ruleset *ruleset);

/* The same without those: what is listed and numbered, and what a change begins with. */
int datapath_rules_in_force(const struct datapath *dp, struct ruleset *ruleset);

/* The same of the slot that is not active: what a rollback would make run. */
int datapath_rules_before(const struct datapath *dp, struct ruleset *ruleset);

/*
 * The rules of the slot that is not active, which may still have counts of their
 * own; *rules is to be freed.
 */
int datapath_previous(const struct datapath *dp, struct stored_rule **rules, size_t *count);

/*
 * Makes *next the running ruleset of every interface at once. Until the very
 * last store nothing has changed; gives every rule of *next its lines. Where
 * `seconds` is not 0, the kernel goes back by itself after that time unless
 * datapath_confirm() comes. Refused while another change waits for that.
 */
int datapath_commit(struct datapath *dp, struct ruleset *next, __u32 seconds);

/* Seconds until the change that waits to be confirmed is undone; 0: none waits. */
__u32 datapath_pending(const struct datapath *dp);

/* 0 where none waits, else -EBUSY, which it says. */
int datapath_decided(const struct datapath *dp);

/* Keeps the change that waits to be confirmed. */
int datapath_confirm(struct datapath *dp);

/* A grant as it is listed. */
struct granted {
	struct grant_key key;
	struct grant grant;
};

/* Those that have not ended, in no order; *list is to be freed. */
int datapath_grants(const struct datapath *dp, struct granted **list, size_t *count);

/* The doors of a ruleset's knocks that these let a source in by: a bit for each, number 1 first. */
__u64 granted_doors(const struct granted *list, size_t count, const struct ruleset *ruleset,
		    const struct prefix *source);

/* Those that ended after `from`, and at `to` at the latest. */
int datapath_ended_grants(const struct datapath *dp, __u64 from, __u64 to,
			  struct granted **list, size_t *count);

/* Makes or renews a grant until `deadline` (nanoseconds since boot). */
int datapath_grant(const struct datapath *dp, const struct grant_key *key, __u64 deadline);

/* Removes a grant; -ENOENT, without a word, where there is none. */
int datapath_revoke(const struct datapath *dp, const struct grant_key *key);

/* A source that failed too often, as it is listed. */
struct locked_out {
	struct lockout_key key;
	struct lockout lockout;
};

/* Those that are locked out now, in no order; *list is to be freed. */
int datapath_lockouts(const struct datapath *dp, struct locked_out **list, size_t *count);

/* The words of all attempts (include/portctl.h), old ones too; *words is to be freed. */
int datapath_attempts(const struct datapath *dp, __u64 **words, size_t *count);

/*
 * Makes the sequences of a timed door those of `list`, for so many seconds from now
 * on; NULL: those that are there. Without a word -ENOENT where nothing is attached.
 */
int datapath_windows(const struct datapath *dp, __u32 door, const struct window list[WINDOWS],
		     __u32 seconds);

/* Whether somebody makes the sequences of a timed door. */
bool datapath_is_timed(const struct datapath *dp, __u32 door);

/* What happened at a door (its number). */
int datapath_door_counts(const struct datapath *dp, __u32 door, struct door_counts *counts);

/* Bytes of the maps that are pinned for an interface, or (NULL) for all together. */
__u64 datapath_memory(const struct datapath *dp, const char *iface);

/* How many flows found no place in their table since it was made. */
int datapath_refused_flows(const struct datapath *dp, __u64 *refused);

/* What was told to those who watch, and what was not, of each kind. */
int datapath_event_counts(const struct datapath *dp, struct event_count counts[EVENT_KINDS]);

/* Somebody who watches: his place, and the ring buffer in it. */
struct watcher;

/*
 * Takes a place and has events from then on; `samples` of drops and rejects a second
 * and key (at most 255), for everybody who watches: who wants most decides, until none is.
 * -EBUSY where all places are taken. Free with watcher_free().
 */
int datapath_watch(struct datapath *dp, __u32 samples, struct watcher **watcher);

/*
 * Waits for events at most so many milliseconds, and calls back for each. Returns how
 * many there were, or a negative errno (-EINTR) and says nothing.
 */
int watcher_wait(struct watcher *watcher, int milliseconds,
		 void (*call)(const struct event *event, void *data), void *data);

/* Whether this is the data path that it watches: it goes with the last detach. */
/*
 * To be called about every second: samples are taken anew. Where several watch, one of
 * them does it.
 */
void watcher_refill(const struct watcher *watcher, const struct datapath *dp);

__u32 watcher_generation(const struct watcher *watcher); /* the active one */
bool watcher_belongs(const struct watcher *watcher, const struct datapath *dp);
void watcher_free(struct watcher *watcher);

/* How the data path would judge a packet, and what it asked on the way. */
struct judgement {
	entry_t entry;
	struct asked asked[DETAIL_STEPS];
	size_t count;
};

/*
 * Loads the data path of an interface once more, on the same maps and so with the same
 * rules, flows and grants, but without any effect: nothing is counted, taken from a
 * limit or told. Free with asker_free().
 */
struct asker;
int datapath_ask(const struct datapath *dp, const char *iface, struct asker **asker);
int asker_judge(struct asker *asker, const void *frame, size_t size,
		struct judgement *judgement);
void asker_free(struct asker *asker);

/*
 * Loads the data path with maps of its own for rules that have their lines, as if it
 * were attached to `iface`; nothing is attached. Free with replayer_free().
 */
struct replayer;
int replayer_open(const char *iface, const struct ruleset *ruleset, struct replayer **replayer);

/*
 * Judges a frame that came in at a time (nanoseconds since 1970; one before that of another
 * frame is taken for that), at the latest when the
 * next goes out or all is finished. Returns 0 or a negative errno and says nothing: -EINVAL
 * for a frame too short to have a header, -EIO where the kernel ended a batch too early.
 */
int replayer_judge(struct replayer *replayer, const void *frame, size_t size, __u64 now);

/* The same for a frame that went out: its flow is remembered. */
int replayer_leave(struct replayer *replayer, const void *frame, size_t size, __u64 now);

/* Judges what is left; `iface` is with what was counted, as long as the replayer is there. */
int replayer_finish(struct replayer *replayer, const struct interface **iface);
void replayer_free(struct replayer *replayer);

/*
 * Goes back to the ruleset before the running one, at once. Where no change waits to be
 * confirmed, `guard` (or NULL) is asked first, and what it refuses with is returned.
 */
int datapath_rollback(struct datapath *dp, int (*guard)(const struct datapath *dp));

#endif
