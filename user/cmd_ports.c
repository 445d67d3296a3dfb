// SPDX-License-Identifier: GPL-2.0-only
/* ports: what listens, what is let through, and what the outside sees of it. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <string.h>

#include "command.h"
#include "log.h"
#include "names.h"
#include "output.h"
#include "ports.h"
#include "prefix.h"
#include "snapshot.h"
#include "util.h"

struct inventory {
	const char *iface; /* "--on"; NULL: the first that is attached */
	struct prefix source; /* "--from"; family 0: not said */
	bool all;
	bool json;
	struct snapshot snapshot;
	const struct stats *stats; /* of the interface; NULL: attached to none */
	struct listener *listeners; /* by key */
	size_t listener_count;
	size_t hidden;
	struct outlook outlook;
};

static int parse_options(int argc, char **argv, struct inventory *inventory)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "from", required_argument, NULL, 'f' },
		{ "on", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "aj", options, NULL)) != -1) {
		if (option == 'a')
			inventory->all = true;
		else if (option == 'o')
			inventory->iface = optarg;
		else if (option == 'j')
			inventory->json = true;
		else if (option != 'f')
			return -ENOEXEC; /* getopt has said why */
		else if (address_parse(optarg, &inventory->source))
			return fail(-EINVAL, "argv: --from: found \"%s\", expected an address",
				    optarg);
	}
	return optind == argc ? 0 : -ENOEXEC;
}

static int choose_interface(struct inventory *inventory)
{
	const struct datapath *dp = &inventory->snapshot.dp;

	for (size_t i = 0; i < dp->count; i++) {
		if (inventory->iface && strcmp(dp->interfaces[i].name, inventory->iface))
			continue;
		inventory->iface = dp->interfaces[i].name;
		inventory->stats = &inventory->snapshot.stats[i];
		return 0;
	}
	if (!inventory->iface)
		return 0;
	return fail(-ENOENT,
		    "portctl is not attached to %s: \"portctl status\" lists where it is",
		    inventory->iface);
}

static json_t *listener_json(const struct listener *listener)
{
	const struct passwd *user = getpwuid(listener->uid);
	char address[ADDRESS_TEXT], number[16];

	address_text(listener->address.address, listener->address.family, address);
	snprintf(number, sizeof(number), "%u", listener->uid);
	return json_pack("{s:o, s:o, s:s, s:s}", "program",
			 listener->pid ? json_string(listener->program) : json_null(), "pid",
			 listener->pid ? json_integer(listener->pid) : json_null(), "user",
			 user ? user->pw_name : number, "address", address);
}

/* The listeners of a key, which stand one after the other from *at on. */
static json_t *listeners_json(const struct inventory *inventory, __u32 key, size_t *at,
			      bool *outside)
{
	json_t *list = json_array();

	*outside = false;
	for (; *at < inventory->listener_count && inventory->listeners[*at].key == key; ++*at) {
		const struct listener *listener = &inventory->listeners[*at];

		*outside |= !listener_is_local(listener);
		json_array_append_new(list, listener_json(listener));
	}
	return list;
}

static json_t *port_json(const struct inventory *inventory, __u32 key, json_t *listeners,
			 bool outside)
{
	const struct port_counter *counter =
		inventory->stats ? &inventory->stats->ports[key] : NULL;
	const char *service = service_name(key);
	enum reach reach = port_reach(&inventory->outlook, key);

	/* What only this host itself can reach nobody else can. */
	if (json_array_size(listeners) && !outside)
		reach = REACH_NONE;
	return json_pack("{s:s, s:i, s:o, s:s, s:s, s:s, s:o, s:I, s:I}", "proto",
			 key_protocol(key), "port", (int)key_port(key), "service",
			 service ? json_string(service) : json_null(), "class",
			 port_class(key_port(key)), "state",
			 port_state_name(port_state(&inventory->outlook, key, outside)),
			 "reachable", reach_name(reach), "listeners", listeners, "passed",
			 (json_int_t)(counter ? counter->pass.packets : 0), "dropped",
			 (json_int_t)(counter ? counter->drop.packets : 0));
}

static bool is_shown(const struct inventory *inventory, __u32 key, bool listens)
{
	const struct port_counter *counter =
		inventory->stats ? &inventory->stats->ports[key] : NULL;

	return listens || inventory->all ||
	       (counter && (counter->pass.packets || counter->drop.packets)) ||
	       port_is_named(inventory->outlook.ruleset, key);
}

static json_t *collect_rows(const struct inventory *inventory)
{
	json_t *rows = json_array();
	size_t at = 0;

	for (__u32 key = 0; key < PORT_KEYS; key++) {
		bool outside;
		json_t *listeners = listeners_json(inventory, key, &at, &outside);

		if (is_shown(inventory, key, json_array_size(listeners)))
			json_array_append_new(rows,
					      port_json(inventory, key, listeners, outside));
		else
			json_decref(listeners);
	}
	return rows;
}

/* The first listener in words, and how many there are besides. */
static json_t *listener_text(const json_t *listeners)
{
	const json_t *first = json_array_get(listeners, 0);
	const char *program = json_string_value(json_object_get(first, "program"));
	size_t more = json_array_size(listeners);
	char rest[32] = "";

	if (!first)
		return json_string("-");
	if (more > 1)
		snprintf(rest, sizeof(rest), " and %zu more", more - 1);
	return json_sprintf("%s (%lld) %s %s%s", program ?: "?",
			    (long long)json_integer_value(json_object_get(first, "pid")),
			    json_string_value(json_object_get(first, "user")),
			    json_string_value(json_object_get(first, "address")), rest);
}

static void print_table(json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) json_object_set_new(
		row, "listeners", listener_text(json_object_get(row, "listeners")));
	print_rows("ports", rows, false);
}

static int list_ports(struct inventory *inventory)
{
	json_t *rows;

	if (listeners_list(&inventory->listeners, &inventory->listener_count,
			   &inventory->hidden))
		return fail(-EIO, "the kernel does not list its sockets (sock_diag)");
	rows = collect_rows(inventory);
	if (inventory->json)
		print_rows("ports", rows, true);
	else
		print_table(rows);
	json_decref(rows);
	free(inventory->listeners);
	if (inventory->hidden)
		note("%zu listeners are of processes that cannot be seen: another user's, or of "
		     "another namespace",
		     inventory->hidden);
	return 0;
}

static int take_inventory(struct inventory *inventory)
{
	cleanup_free struct image *image = calloc(1, sizeof(*image));
	int err = image ? snapshot_take(&inventory->snapshot) : fail(-ENOMEM, "out of memory");

	err = err ?: choose_interface(inventory);
	inventory->outlook = (struct outlook){
		.ruleset = &inventory->snapshot.ruleset,
		.source = inventory->source.family ? &inventory->source : NULL,
		.now = since_boot(),
	};
	if (!err && inventory->stats) {
		inventory->outlook.image = image;
		err = compile(&inventory->snapshot.ruleset, inventory->iface, image, NULL);
		if (err)
			fail(err, "out of memory");
	}
	err = err ?: list_ports(inventory);
	if (image)
		image_clear(image);
	snapshot_clear(&inventory->snapshot);
	return err;
}

int cmd_ports(const struct command *command, int argc, char **argv)
{
	struct inventory inventory = { 0 };
	int err = parse_options(argc, argv, &inventory);

	if (err == -ENOEXEC)
		return usage(command);
	return err || take_inventory(&inventory) ? EXIT_REFUSED : EXIT_DONE;
}
