// SPDX-License-Identifier: GPL-2.0-only
#include "inventory.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "log.h"
#include "prefix.h"
#include "util.h"

static int choose_interface(struct inventory *inventory)
{
	const struct datapath *dp = &inventory->snapshot.dp;

	for (size_t i = 0; i < dp->count; i++) {
		if (inventory->iface && strcmp(dp->interfaces[i].name, inventory->iface))
			continue;
		inventory->attached = &dp->interfaces[i];
		inventory->stats = &inventory->snapshot.stats[i];
		return 0;
	}
	if (!inventory->iface)
		return 0;
	return fail(-ENOENT,
		    "portctl is not attached to %s: \"portctl status\" lists where it is",
		    inventory->iface);
}

static int judge_by(struct inventory *inventory)
{
	inventory->outlook = (struct outlook){
		.ruleset = &inventory->snapshot.ruleset,
		.source = inventory->source.family ? &inventory->source : NULL,
		.now = since_boot(),
	};
	if (outlook_prepare(&inventory->outlook))
		return fail(-ENOMEM, "out of memory");
	if (!inventory->attached)
		return 0;
	inventory->image = calloc(1, sizeof(*inventory->image));
	if (!inventory->image || compile(&inventory->snapshot.ruleset,
					 inventory->attached->name, inventory->image, NULL))
		return fail(-ENOMEM, "out of memory");
	inventory->outlook.image = inventory->image;
	return 0;
}

static int list_listeners(struct inventory *inventory)
{
	if (listeners_list(&inventory->listeners, &inventory->listener_count,
			   &inventory->hidden))
		return fail(-EIO, "the kernel does not list its sockets (sock_diag)");
	inventory->outside = calloc(PORT_KEYS, 1);
	if (!inventory->outside)
		return fail(-ENOMEM, "out of memory");
	for (size_t i = 0; i < inventory->listener_count; i++) {
		const struct listener *listener = &inventory->listeners[i];

		inventory->outside[listener->key] |= !listener_is_local(listener);
	}
	return 0;
}

int inventory_take(struct inventory *inventory)
{
	int err = snapshot_take(&inventory->snapshot);

	err = err ?: choose_interface(inventory);
	err = err ?: judge_by(inventory);
	err = err ?: list_listeners(inventory);
	return err;
}

void inventory_clear(struct inventory *inventory)
{
	free(inventory->listeners);
	free(inventory->outside);
	outlook_clear(&inventory->outlook);
	if (inventory->image)
		image_clear(inventory->image);
	free(inventory->image);
	snapshot_clear(&inventory->snapshot);
	*inventory =
		(struct inventory){ .iface = inventory->iface, .source = inventory->source };
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
	return &inventory->listeners[first];
}

bool listens_outside(const struct listener *listeners, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!listener_is_local(&listeners[i]))
			return true;
	}
	return false;
}

bool term_is_listened_to(const struct inventory *inventory, const struct term *term)
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
	return inventory->stats ? inventory->stats->ports[key] : (struct port_counter){ 0 };
}

/* What only this host itself can reach nobody else can. */
enum reach inventory_reach(const struct inventory *inventory, __u32 key)
{
	size_t count;
	const struct listener *listeners = inventory_listeners(inventory, key, &count);

	if (count && !listens_outside(listeners, count))
		return REACH_NONE;
	return port_reach(&inventory->outlook, key);
}

bool is_passing_port(__u32 key)
{
	static int first, last; /* of this network namespace; the same for all the time */
	cleanup_file FILE *file = NULL;

	if (!last)
		file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	if (!last && (!file || fscanf(file, "%d %d", &first, &last) != 2)) {
		first = 32768;
		last = 60999;
	}
	return key >= PORT_KEY_UDP && key_port(key) >= first && key_port(key) <= last;
}

static const char *why_unknown(const struct listener *listener)
{
	if (listener->refused)
		return "another user's process, which only root may look into";
	return "no process here has it: the kernel's own, of another PID namespace, or gone";
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

/* Looked up once for all who follow each other: it reads a file. */
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
	object = json_pack("{s:o, s:o, s:s, s:s}", "program",
			   listener->pid ? json_string(listener->program) : json_null(), "pid",
			   listener->pid ? json_integer(listener->pid) : json_null(), "user",
			   user_name(listener->uid), "address", address);
	if (!listener->pid)
		json_object_set_new(object, "unknown", json_string(why_unknown(listener)));
	return object;
}

const char *listener_program(const struct listener *listener)
{
	return listener->pid ? listener->program : "a program that cannot be seen";
}
