// SPDX-License-Identifier: GPL-2.0-only
#include "watch/port_watch.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/datapath_listen.h"
#include "rules/prefix.h"
#include "state/inventory.h"
#include "watch/events.h"

/* Poll although the kernel reports sockets: it does not report UDP sockets that close. */
#define TURN_MILLISECONDS 700
#define POLL_MILLISECONDS 400 /* if the kernel reports nothing */
#define STATE_UNKNOWN 0xff

/* Sockets, sorted by listener_compare(). */
struct sockets {
	struct listener *list;
	size_t count;
	size_t room;
};

struct port_watch {
	struct notifier *notifier; /* NULL: events are only counted */
	bool wanted[PORT_EVENTS];
	__u64 counts[PORT_EVENTS];
	bool polled; /* the first poll is done, so later ones can be compared with it */
	__u64 next_poll; /* nanoseconds since boot */
	struct inventory inventory; /* the rules, and the listeners of the last poll */
	struct listen_watch *news; /* the kernel's reports; NULL: unused or not available */
	struct sockets fresh; /* sockets that the kernel reported since the last poll */
	bool heard; /* the kernel reported something since the last poll */
	__u64 created; /* creation time of the data path with these rules; 0: none */
	__u32 generation;
	__u64 next_end; /* nanoseconds since boot when the next rule expires; 0: none does */
	unsigned char states[PORT_KEYS]; /* enum port_state, STATE_UNKNOWN if not watched */
};

/* Counts an event. Returns whether it must be reported. */
static bool count_event(struct port_watch *watch, enum port_event event)
{
	watch->counts[event]++;
	return watch->notifier && watch->wanted[event];
}

/* --- states ------------------------------------------------------------------- */

/* A port is watched if a socket listens on it or a rule names it. */
static unsigned char state_now(const struct port_watch *watch, __u32 key)
{
	size_t count;
	const struct listener *list = inventory_listeners(&watch->inventory, key, &count);

	if (!count && !(watch->inventory.outlook.marks[key] & MARK_NAMED))
		return STATE_UNKNOWN;
	return port_state(&watch->inventory.outlook, key, listeners_families(list, count));
}

/* For a port not watched before, or no longer, compare with its state without listeners. */
static void update_state(struct port_watch *watch, __u32 key)
{
	unsigned char was = watch->states[key], now = state_now(watch, key);

	watch->states[key] = now;
	if (was == STATE_UNKNOWN && now == STATE_UNKNOWN)
		return;
	if (now == STATE_UNKNOWN)
		now = port_state(&watch->inventory.outlook, key, 0);
	if (was == STATE_UNKNOWN)
		was = port_state(&watch->inventory.outlook, key, 0);
	if (was != now && count_event(watch, PORT_STATE))
		notify_event(watch->notifier,
			     state_event_json(since_boot(), key, port_state_name(now),
					      port_state_name(was)));
}

static void update_states(struct port_watch *watch)
{
	watch->inventory.outlook.now = since_boot();
	for (__u32 key = 0; key < PORT_KEYS; key++)
		update_state(watch, key);
}

/* --- listeners ---------------------------------------------------------------- */

static int compare_sockets(const void *left, const void *right)
{
	const struct listener *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return prefix_compare(&a->address, &b->address);
}

static const struct listener *find_socket(const struct sockets *sockets,
					  const struct listener *wanted)
{
	return sockets->count ? bsearch(wanted, sockets->list, sockets->count, sizeof(*wanted),
					compare_sockets)
			      : NULL;
}

/* Callback of listen_watch_wait(). Without memory the next poll finds the socket. */
static void add_reported(const struct socket_event *event, void *data)
{
	struct port_watch *watch = data;
	struct sockets *fresh = &watch->fresh;
	struct listener *listener;

	watch->heard = true;
	if (event->news != SOCKET_LISTENS ||
	    array_reserve(&fresh->list, &fresh->room, fresh->count, sizeof(*fresh->list)))
		return;
	listener = &fresh->list[fresh->count++];
	*listener = (struct listener){
		.key = event->key,
		.address = { event->family, event->family == 4 ? 32 : 128, { 0 } },
		.uid = event->uid,
		.pid = event->pid,
	};
	memcpy(listener->address.address, event->address, sizeof(event->address));
	memcpy(listener->program, event->program, sizeof(listener->program));
	text_clean(listener->program);
}

/* Finds the same socket by its inode: several can share an address (SO_REUSEPORT). */
static const struct listener *find_known(const struct sockets *sockets,
					 const struct listener *wanted)
{
	const struct listener *found = find_socket(sockets, wanted);
	const struct listener *end = sockets->list + sockets->count;

	while (found && found > sockets->list && !compare_sockets(found - 1, wanted))
		found--;
	for (; found && found < end && !compare_sockets(found, wanted); found++) {
		if (found->inode == wanted->inode)
			return found;
	}
	return NULL;
}

/*
 * Copies the process of each socket from the last poll or from the kernel's report. Returns
 * false if a socket is in neither: then listeners_list() must search all processes.
 */
static bool copy_processes(const struct sockets *before, const struct sockets *fresh,
			   struct sockets *now)
{
	for (size_t i = 0; i < now->count; i++) {
		struct listener *listener = &now->list[i];
		const struct listener *known = find_known(before, listener);

		known = known ?: find_socket(fresh, listener);
		if (!known)
			return false;
		listener->pid = known->pid;
		listener->refused = known->refused;
		memcpy(listener->program, known->program, sizeof(listener->program));
	}
	return true;
}

static void report_socket(struct port_watch *watch, enum port_event event,
			  const struct listener *listener)
{
	if (count_event(watch, event))
		notify_event(watch->notifier,
			     listener_event_json(event, since_boot(), listener->key,
						 listener_json(listener)));
}

/* Reports an event for each address that is in `sockets` and not in `others`. */
static void report_difference(struct port_watch *watch, enum port_event event,
			      const struct sockets *sockets, const struct sockets *others)
{
	for (size_t i = 0; i < sockets->count; i++) {
		const struct listener *listener = &sockets->list[i];

		if ((i && !compare_sockets(listener - 1, listener)) ||
		    find_socket(others, listener))
			continue;
		report_socket(watch, event, listener);
		update_state(watch, listener->key);
	}
}

/* Reports sockets that were opened and closed between two polls. */
static void report_short_lived(struct port_watch *watch, const struct sockets *before,
			       const struct sockets *now)
{
	for (size_t i = 0; i < watch->fresh.count; i++) {
		const struct listener *listener = &watch->fresh.list[i];

		if (find_socket(before, listener) || find_socket(now, listener))
			continue;
		report_socket(watch, PORT_LISTEN, listener);
		report_socket(watch, PORT_GONE, listener);
	}
}

/* Reports the differences between the sockets before and those in the inventory. */
static void report_changes(struct port_watch *watch, const struct sockets *before)
{
	const struct sockets now = { watch->inventory.listeners,
				     watch->inventory.listener_count, 0 };

	report_short_lived(watch, before, &now);
	report_difference(watch, PORT_GONE, before, &now);
	report_difference(watch, PORT_LISTEN, &now, before);
}

/* --- polling ------------------------------------------------------------------ */

/* *changed: there is another data path or another ruleset, or a rule has expired. */
static int check_for_rules(struct port_watch *watch, bool *changed)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	int err = datapath_open(&dp, DATAPATH_READ);
	__u64 created = dp.control ? dp.control->created : 0;
	__u32 generation = dp.control ? dp.control->generation : 0;

	*changed = created != watch->created || generation != watch->generation ||
		   (watch->next_end && since_boot() >= watch->next_end);
	watch->created = created;
	watch->generation = generation;
	return err;
}

/* Reads the rules and the listeners. */
static int reload_rules(struct port_watch *watch)
{
	int err;

	watch->inventory.listeners = NULL; /* owned by poll_changes() now */
	inventory_clear(&watch->inventory);
	err = inventory_take(&watch->inventory);
	watch->next_end = ruleset_next_end(&watch->inventory.snapshot.ruleset, since_boot());
	return err;
}

/* Reads the listeners only. */
static int reload_listeners(struct port_watch *watch, const struct sockets *before)
{
	struct inventory *inventory = &watch->inventory;
	struct sockets now = { 0 };
	int err = listeners_sockets(&now.list, &now.count);

	if (!err && !copy_processes(before, &watch->fresh, &now)) {
		free(now.list);
		err = listeners_list(&now.list, &now.count, &inventory->hidden);
	}
	inventory->listeners = now.list;
	inventory->listener_count = now.count;
	return err ? fail(err, "cannot list sockets (sock_diag): %s", strerror(-err)) : 0;
}

static int poll_changes(struct port_watch *watch)
{
	struct sockets before = { watch->inventory.listeners, watch->inventory.listener_count,
				  0 };
	bool changed;
	int err = check_for_rules(watch, &changed);

	if (err)
		return err;
	if (watch->fresh.count)
		qsort(watch->fresh.list, watch->fresh.count, sizeof(*watch->fresh.list),
		      listener_compare);
	err = changed ? reload_rules(watch) : reload_listeners(watch, &before);
	if (!err)
		report_changes(watch, &before);
	if (!err && changed)
		update_states(watch);
	free(before.list);
	watch->fresh.count = 0;
	watch->heard = false;
	return err;
}

/* Reads the initial state, which later polls are compared with. */
static int first_poll(struct port_watch *watch)
{
	bool changed;
	int err;

	inventory_clear(&watch->inventory); /* an earlier attempt may have failed */
	err = check_for_rules(watch, &changed) ?: inventory_take(&watch->inventory);

	for (__u32 key = 0; key < PORT_KEYS && !err; key++)
		watch->states[key] = state_now(watch, key);
	watch->next_end = ruleset_next_end(&watch->inventory.snapshot.ruleset, since_boot());
	return err;
}

/* --- public functions ---------------------------------------------------------- */

int port_watch_open(struct port_watch **watch, const char *iface, struct notifier *notifier,
		    const bool wanted[PORT_EVENTS])
{
	struct port_watch *made = calloc(1, sizeof(*made));
	int err = 0;

	*watch = made;
	if (!made)
		return out_of_memory();
	made->inventory.iface = iface;
	made->inventory.snapshot.dp.lock = -1; /* first_poll() clears the inventory first */
	made->notifier = notifier;
	if (notifier) {
		memcpy(made->wanted, wanted, sizeof(made->wanted));
		err = listen_watch_open(&made->news);
	}
	if (err)
		note("the kernel cannot report sockets (%s): polling every %d ms, which "
		     "misses sockets that close sooner",
		     strerror(-err), POLL_MILLISECONDS);
	return 0;
}

static void wait_for_news(struct port_watch *watch, int milliseconds)
{
	if (watch->news)
		listen_watch_wait(watch->news, milliseconds, add_reported, watch);
	else
		usleep(milliseconds * 1000);
}

int port_watch_turn(struct port_watch *watch, int milliseconds)
{
	int turn = watch->news ? TURN_MILLISECONDS : POLL_MILLISECONDS;
	int err;

	if (watch->polled)
		wait_for_news(watch, milliseconds);
	if (watch->polled && watch->notifier && !watch->heard &&
	    since_boot() < watch->next_poll)
		return 0;
	err = watch->polled ? poll_changes(watch) : first_poll(watch);
	watch->polled |= !err;
	watch->next_poll = since_boot() + turn * 1000000ull;
	return err;
}

const __u64 *port_watch_counts(const struct port_watch *watch)
{
	return watch->counts;
}

void port_watch_free(struct port_watch *watch)
{
	if (!watch)
		return;
	listen_watch_free(watch->news);
	free(watch->fresh.list);
	inventory_clear(&watch->inventory);
	free(watch);
}
