// SPDX-License-Identifier: GPL-2.0-only
#include "watch/port_watch.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "kernel/datapath_listen.h"
#include "watch/events.h"
#include "state/inventory.h"
#include "base/log.h"
#include "rules/prefix.h"
#include "base/array.h"
#include "base/text.h"

/* Looking by itself: UDP sockets that close are seen only by that. */
#define TURN_MILLISECONDS 700
#define POLL_MILLISECONDS 400 /* where it is all there is */
#define STATE_UNKNOWN 0xff

/* Sockets in order (listener_compare()). */
struct sockets {
	struct listener *list;
	size_t count;
	size_t room;
};

struct port_watch {
	struct teller *teller; /* NULL: nobody is told, it is only counted */
	bool wanted[PORT_EVENTS];
	__u64 counts[PORT_EVENTS];
	bool looked; /* so that there is something to compare with */
	__u64 next_look; /* nanoseconds since boot */
	struct inventory inventory; /* the rules; its listeners are those of the last look */
	struct listen_watch *news; /* NULL: it is not asked, or refuses; looking must do */
	struct sockets fresh; /* what the kernel told of since the last look */
	bool heard; /* and it told something */
	__u64 created; /* the data path that the rules are of; 0: there is none */
	__u32 generation;
	__u64 next_end; /* nanoseconds since boot: when a rule ends; 0: none does */
	unsigned char states[PORT_KEYS]; /* enum port_state, STATE_UNKNOWN if not watched */
};

/* Counts an event, and whether somebody wants to be told of it. */
static bool count(struct port_watch *watch, enum port_event event)
{
	watch->counts[event]++;
	return watch->teller && watch->wanted[event];
}

/* --- states ------------------------------------------------------------------- */

/* Those that listen and those that rules name are watched. */
static unsigned char state_now(const struct port_watch *watch, __u32 key)
{
	size_t count;
	const struct listener *list = inventory_listeners(&watch->inventory, key, &count);

	if (!count && !(watch->inventory.outlook.marks[key] & MARK_NAMED))
		return STATE_UNKNOWN;
	return port_state(&watch->inventory.outlook, key, families_outside(list, count));
}

/* Of a port that is watched no longer, or was not, what it would be all the same. */
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
	if (was != now && count(watch, PORT_STATE))
		tell(watch->teller, state_event_json(since_boot(), key, port_state_name(now),
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

static void hear(const struct socket_event *event, void *data)
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

/* The very same socket: several can be at one address (SO_REUSEPORT). */
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
 * Whose the sockets are: as it was known, or as the kernel told. Whether that is all of
 * them; else the processes must be looked through.
 */
static bool learn_programs(const struct sockets *before, const struct sockets *fresh,
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

static void tell_listener(struct port_watch *watch, enum port_event event,
			  const struct listener *listener)
{
	if (count(watch, event))
		tell(watch->teller, listener_event_json(event, since_boot(), listener->key,
							listener_json(listener)));
}

/* Those that `these` has and `those` has not, each once. */
static void tell_difference(struct port_watch *watch, enum port_event event,
			    const struct sockets *these, const struct sockets *those)
{
	for (size_t i = 0; i < these->count; i++) {
		const struct listener *listener = &these->list[i];

		if ((i && !compare_sockets(listener - 1, listener)) ||
		    find_socket(those, listener))
			continue;
		tell_listener(watch, event, listener);
		update_state(watch, listener->key);
	}
}

/* Those that came and went between two looks. */
static void tell_short_lived(struct port_watch *watch, const struct sockets *before,
			     const struct sockets *now)
{
	for (size_t i = 0; i < watch->fresh.count; i++) {
		const struct listener *listener = &watch->fresh.list[i];

		if (find_socket(before, listener) || find_socket(now, listener))
			continue;
		tell_listener(watch, PORT_LISTEN, listener);
		tell_listener(watch, PORT_GONE, listener);
	}
}

/* What is different from before; the inventory has what is there now. */
static void tell_changes(struct port_watch *watch, const struct sockets *before)
{
	const struct sockets now = { watch->inventory.listeners,
				     watch->inventory.listener_count, 0 };

	tell_short_lived(watch, before, &now);
	tell_difference(watch, PORT_GONE, before, &now);
	tell_difference(watch, PORT_LISTEN, &now, before);
}

/* --- looking ------------------------------------------------------------------ */

/* Another data path, other rules, or the end of one of them. */
static int look_for_rules(struct port_watch *watch, bool *changed)
{
	struct datapath dp;
	int err = datapath_open(&dp, DATAPATH_READ);
	__u64 created = dp.control ? dp.control->created : 0;
	__u32 generation = dp.control ? dp.control->generation : 0;

	datapath_close(&dp);
	*changed = created != watch->created || generation != watch->generation ||
		   (watch->next_end && since_boot() >= watch->next_end);
	watch->created = created;
	watch->generation = generation;
	return err;
}

/* The rules anew, and with them what listens. */
static int take_rules(struct port_watch *watch)
{
	int err;

	watch->inventory.listeners = NULL; /* the caller has them */
	inventory_clear(&watch->inventory);
	err = inventory_take(&watch->inventory);
	watch->next_end = ruleset_next_end(&watch->inventory.snapshot.ruleset, since_boot());
	return err;
}

static int take_listeners(struct port_watch *watch, const struct sockets *before)
{
	struct inventory *inventory = &watch->inventory;
	struct sockets now = { 0 };
	int err = listeners_sockets(&now.list, &now.count);

	if (!err && !learn_programs(before, &watch->fresh, &now)) {
		free(now.list);
		err = listeners_list(&now.list, &now.count, &inventory->hidden);
	}
	inventory->listeners = now.list;
	inventory->listener_count = now.count;
	return err ? fail(err, "the kernel does not list its sockets (sock_diag)") : 0;
}

static int look(struct port_watch *watch)
{
	struct sockets before = { watch->inventory.listeners, watch->inventory.listener_count,
				  0 };
	bool changed;
	int err = look_for_rules(watch, &changed);

	if (err)
		return err;
	if (watch->fresh.count)
		qsort(watch->fresh.list, watch->fresh.count, sizeof(*watch->fresh.list),
		      listener_compare);
	err = changed ? take_rules(watch) : take_listeners(watch, &before);
	if (!err)
		tell_changes(watch, &before);
	if (!err && changed)
		update_states(watch);
	free(before.list);
	watch->fresh.count = 0;
	watch->heard = false;
	return err;
}

/* The first look is what later ones are compared with. */
static int first_look(struct port_watch *watch)
{
	bool changed;
	int err;

	inventory_clear(&watch->inventory); /* it may have failed before */
	err = look_for_rules(watch, &changed) ?: inventory_take(&watch->inventory);

	for (__u32 key = 0; key < PORT_KEYS && !err; key++)
		watch->states[key] = state_now(watch, key);
	watch->next_end = ruleset_next_end(&watch->inventory.snapshot.ruleset, since_boot());
	return err;
}

/* --- its turns ---------------------------------------------------------------- */

int port_watch_open(struct port_watch **watch, const char *iface, struct teller *teller,
		    const bool wanted[PORT_EVENTS])
{
	struct port_watch *made = calloc(1, sizeof(*made));
	int err = 0;

	*watch = made;
	if (!made)
		return fail(-ENOMEM, "out of memory");
	made->inventory.iface = iface;
	made->inventory.snapshot.dp.lock = -1; /* it is cleared before it is taken */
	made->teller = teller;
	if (teller) {
		memcpy(made->wanted, wanted, sizeof(made->wanted));
		err = listen_watch_open(&made->news);
	}
	if (err)
		note("the kernel does not tell of sockets (%s): looking every %d ms, which "
		     "misses those that are gone sooner",
		     strerror(-err), POLL_MILLISECONDS);
	return 0;
}

static void wait_for_news(struct port_watch *watch, int milliseconds)
{
	if (watch->news)
		listen_watch_wait(watch->news, milliseconds, hear, watch);
	else
		usleep(milliseconds * 1000);
}

int port_watch_turn(struct port_watch *watch, int milliseconds)
{
	int turn = watch->news ? TURN_MILLISECONDS : POLL_MILLISECONDS;
	int err;

	if (watch->looked)
		wait_for_news(watch, milliseconds);
	if (watch->looked && watch->teller && !watch->heard && since_boot() < watch->next_look)
		return 0;
	err = watch->looked ? look(watch) : first_look(watch);
	watch->looked |= !err;
	watch->next_look = since_boot() + turn * 1000000ull;
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
