// SPDX-License-Identifier: GPL-2.0-only
#include "state/inventory.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "rules/prefix.h"
#include "kernel/datapath_knock.h"
#include "base/cleanup.h"
#include "base/utf8.h"

/*
 * Moves interfaces whose device is gone to the end, together with their stats. Returns the
 * number of the others.
 */
static size_t put_gone_last(struct snapshot *snapshot)
{
	size_t there = 0;

	for (size_t i = 0; i < snapshot->dp.count; i++) {
		struct interface iface = snapshot->dp.interfaces[i];
		struct stats stats = snapshot->stats[i];

		if (interface_gone(&iface))
			continue;
		snapshot->dp.interfaces[i] = snapshot->dp.interfaces[there];
		snapshot->stats[i] = snapshot->stats[there];
		snapshot->dp.interfaces[there] = iface;
		snapshot->stats[there++] = stats;
	}
	return there;
}

/*
 * Chooses the interface that was named, or all. Nothing comes in where a device is gone: such an
 * interface counts only if it was named, or if the devices of all are gone.
 */
static int choose_interfaces(struct inventory *inventory)
{
	struct snapshot *snapshot = &inventory->snapshot;
	size_t there = put_gone_last(snapshot);

	for (size_t i = 0; i < snapshot->dp.count; i++) {
		if (inventory->iface &&
		    strcmp(snapshot->dp.interfaces[i].name, inventory->iface))
			continue;
		inventory->interfaces = &snapshot->dp.interfaces[i];
		inventory->stats = &snapshot->stats[i];
		inventory->interface_count = inventory->iface ? 1 : there ?: snapshot->dp.count;
		return 0;
	}
	if (!inventory->iface)
		return 0;
	return fail(-ENOENT,
		    "portctl is not attached to %s: \"portctl status\" lists where it is",
		    inventory->iface);
}

/* Finds the doors that are open to the source. */
static int find_doors(struct inventory *inventory)
{
	cleanup_free struct granted *list = NULL;
	size_t count = 0;
	int err = 0;

	if (inventory->source.family && inventory->snapshot.dp.control)
		err = datapath_grants(&inventory->snapshot.dp, &list, &count);
	if (!err)
		inventory->outlook.doors = datapath_granted_doors(
			list, count, &inventory->snapshot.ruleset, &inventory->source);
	return err;
}

static int make_outlook(struct inventory *inventory)
{
	struct outlook *outlook = &inventory->outlook;

	*outlook = (struct outlook){
		.ruleset = &inventory->snapshot.ruleset,
		.source = inventory->source.family ? &inventory->source : NULL,
		.now = since_boot(),
	};
	if (outlook_prepare(outlook, inventory->interfaces, inventory->interface_count))
		return out_of_memory();
	return find_doors(inventory);
}

static int list_listeners(struct inventory *inventory)
{
	if (listeners_list(&inventory->listeners, &inventory->listener_count,
			   &inventory->hidden))
		return fail(-EIO, "the kernel does not list its sockets (sock_diag)");
	inventory->outside = calloc(PORT_KEYS, 1);
	if (!inventory->outside)
		return out_of_memory();
	for (size_t i = 0; i < inventory->listener_count; i++) {
		const struct listener *listener = &inventory->listeners[i];

		inventory->outside[listener->key] |= listener_families(listener);
	}
	return 0;
}

int inventory_take(struct inventory *inventory)
{
	int err = snapshot_take(&inventory->snapshot);

	err = err ?: choose_interfaces(inventory);
	err = err ?: make_outlook(inventory);
	err = err ?: list_listeners(inventory);
	return err;
}

void inventory_clear(struct inventory *inventory)
{
	free(inventory->listeners);
	free(inventory->outside);
	outlook_clear(&inventory->outlook);
	snapshot_clear(&inventory->snapshot);
	*inventory =
		(struct inventory){ .iface = inventory->iface, .source = inventory->source };
	inventory->snapshot.dp = DATAPATH_CLOSED; /* so that it can be cleared again */
}

const struct listener *inventory_listeners(const struct inventory *inventory, __u32 key,
					   size_t *count)
{
	size_t first = 0, end = inventory->listener_count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (inventory->listeners[middle].key < key)
			first = middle + 1;
		else
			end = middle;
	}
	for (*count = 0; first + *count < inventory->listener_count &&
			 inventory->listeners[first + *count].key == key;)
		++*count;
	return *count ? &inventory->listeners[first] : NULL;
}

bool inventory_has_listener(const struct inventory *inventory, const struct term *term)
{
	for (__u32 port = term->first; port <= term->last; port++) {
		if ((term->transports & TRANSPORT_TCP &&
		     inventory->outside[PORT_KEY_TCP + port]) ||
		    (term->transports & TRANSPORT_UDP &&
		     inventory->outside[PORT_KEY_UDP + port]))
			return true;
	}
	return false;
}

struct port_counter inventory_counter(const struct inventory *inventory, __u32 key)
{
	struct port_counter sum = { 0 };

	for (size_t i = 0; i < inventory->interface_count; i++) {
		const struct port_counter *port = &inventory->stats[i].ports[key];

		sum.pass.packets += port->pass.packets;
		sum.pass.bytes += port->pass.bytes;
		sum.drop.packets += port->drop.packets;
		sum.drop.bytes += port->drop.bytes;
	}
	return sum;
}

/* Nobody else can reach a listener that only this host can reach, whatever the rules say. */
enum reach inventory_reach(const struct inventory *inventory, __u32 key)
{
	size_t count;
	const struct listener *listeners = inventory_listeners(inventory, key, &count);

	return port_reach(&inventory->outlook, key,
			  count ? listeners_families(listeners, count) : FAMILIES);
}

/* Why the process of a listener is unknown. JSON has these texts as well. */
static const char *why_unknown(const struct listener *listener)
{
	if (listener->refused && listener->uid != geteuid())
		return "another user's process, which only root can inspect";
	if (listener->refused)
		return "its process cannot be inspected (that takes CAP_SYS_PTRACE), or has ended";
	return "no process here has it: it belongs to the kernel or to another PID namespace, "
	       "or is gone";
}

void inventory_note_hidden(const struct inventory *inventory)
{
	const struct listener *listener = inventory->listeners;

	if (!inventory->hidden)
		return;
	while (listener->pid)
		listener++;
	note("the process of %zu listeners is not known: %s", inventory->hidden,
	     why_unknown(listener));
}

/* Remembers the last user, since a lookup reads a file. */
static const char *user_name(uid_t uid)
{
	static char name[64];
	static uid_t last;

	if (!*name || uid != last) {
		const struct passwd *user = getpwuid(uid);

		if (user)
			snprintf(name, sizeof(name), "%s", user->pw_name);
		else
			snprintf(name, sizeof(name), "%u", uid);
		last = uid;
	}
	return name;
}

json_t *listener_json(const struct listener *listener)
{
	char address[ADDRESS_TEXT];
	json_t *object;

	address_text(listener->address.address, listener->address.family, address);
	object = json_pack("{s:o, s:o, s:o, s:s}", "program",
			   listener->pid ? json_string(listener->program) : json_null(), "pid",
			   listener->pid ? json_integer(listener->pid) : json_null(), "user",
			   text_json(user_name(listener->uid)), "address", address);
	if (!listener->pid)
		json_object_set_new(object, "unknown", json_string(why_unknown(listener)));
	return object;
}

const char *listener_program(const struct listener *listener)
{
	return listener->pid ? listener->program : "a program that cannot be seen";
}
