// SPDX-License-Identifier: GPL-2.0-only
/* ports: what listens, what is let through, and what the outside sees of it. */
#include <errno.h>
#include <getopt.h>

#include "cmd/command.h"
#include "state/inventory.h"
#include "base/log.h"
#include "rules/names.h"
#include "host/netns.h"
#include "print/output.h"
#include "rules/prefix.h"
#include "base/utf8.h"

struct listing {
	struct inventory inventory;
	const char *netns; /* "--netns"; NULL: this one */
	bool all;
	bool json;
};

static int parse_options(int argc, char **argv, struct listing *listing)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "from", required_argument, NULL, 'f' },
		{ "on", required_argument, NULL, 'o' },
		{ "netns", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "aj", options, NULL)) != -1) {
		if (option == 'a')
			listing->all = true;
		else if (option == 'o')
			listing->inventory.iface = optarg;
		else if (option == 'n')
			listing->netns = optarg;
		else if (option == 'j')
			listing->json = true;
		else if (option != 'f')
			return -ENOEXEC; /* getopt has said why */
		else if (address_parse(optarg, &listing->inventory.source))
			return fail(-EINVAL, "argv: --from: found \"%s\", expected an address",
				    optarg);
	}
	return optind == argc ? 0 : -ENOEXEC;
}

static json_t *listeners_json(const struct listener *listeners, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, listener_json(&listeners[i]));
	return list;
}

static json_t *port_json(const struct inventory *inventory, __u32 key)
{
	struct port_counter counter = inventory_counter(inventory, key);
	const char *service = service_name(key);
	size_t count;
	const struct listener *listeners = inventory_listeners(inventory, key, &count);
	enum port_state state =
		port_state(&inventory->outlook, key, listeners_families(listeners, count));

	return json_pack(
		"{s:s, s:i, s:o, s:s, s:s, s:s, s:o, s:I, s:I}", "proto", key_protocol(key),
		"port", (int)key_port(key), "service", text_json(service), "class",
		port_class(key_port(key)), "state", port_state_name(state), "reachable",
		reach_name(inventory_reach(inventory, key)), "listeners",
		listeners_json(listeners, count), "passed", (json_int_t)counter.pass.packets,
		"dropped", (json_int_t)counter.drop.packets);
}

static bool is_shown(const struct listing *listing, __u32 key)
{
	struct port_counter counter = inventory_counter(&listing->inventory, key);
	size_t count;

	inventory_listeners(&listing->inventory, key, &count);
	return listing->all || count || port_packets(&counter) ||
	       listing->inventory.outlook.marks[key] & MARK_NAMED;
}

/* The next key to show, from "key" on; PORT_KEYS: there is none. */
static __u32 next_shown(const struct listing *listing, __u32 key)
{
	while (key < PORT_KEYS && !is_shown(listing, key))
		key++;
	return key;
}

/* Row by row: a tree of all that can listen takes more time than looking at it. */
static void print_json(const struct listing *listing)
{
	const char *separator = "";

	fputs("{\"ports\":[", stdout);
	for (__u32 key = next_shown(listing, 0); key < PORT_KEYS;
	     key = next_shown(listing, key + 1)) {
		json_t *row = port_json(&listing->inventory, key);

		fputs(separator, stdout);
		json_dumpf(row, stdout, JSON_COMPACT);
		json_decref(row);
		separator = ",";
	}
	puts("]}");
}

/* The first listener in words, and how many there are besides. */
static json_t *listener_text(const json_t *listeners)
{
	const json_t *first = json_array_get(listeners, 0);
	const char *user = json_string_value(json_object_get(first, "user"));
	const char *address = json_string_value(json_object_get(first, "address"));
	const char *program = json_string_value(json_object_get(first, "program"));
	size_t more = json_array_size(listeners);
	char rest[32] = "";

	if (!first)
		return json_string("-");
	if (more > 1)
		snprintf(rest, sizeof(rest), " and %zu more", more - 1);
	if (!program)
		return json_sprintf("unknown %s %s%s", user, address, rest);
	return json_sprintf("%s (%lld) %s %s%s", program,
			    (long long)json_integer_value(json_object_get(first, "pid")), user,
			    address, rest);
}

static void print_table(const struct listing *listing)
{
	json_t *rows = json_array();

	for (__u32 key = next_shown(listing, 0); key < PORT_KEYS;
	     key = next_shown(listing, key + 1)) {
		json_t *row = port_json(&listing->inventory, key);

		json_object_set_new(row, "listeners",
				    listener_text(json_object_get(row, "listeners")));
		json_array_append_new(rows, row);
	}
	print_rows("ports", rows, false);
	json_decref(rows);
}

static void print_ports(const struct listing *listing)
{
	if (listing->json)
		print_json(listing);
	else
		print_table(listing);
	inventory_note_hidden(&listing->inventory);
}

static int list_ports(struct listing *listing)
{
	int err = inventory_take(&listing->inventory);

	if (!err)
		print_ports(listing);
	inventory_clear(&listing->inventory);
	return err;
}

int cmd_ports(const struct command *command, int argc, char **argv)
{
	struct listing listing = { 0 };
	int err = parse_options(argc, argv, &listing);

	if (err == -ENOEXEC)
		return command_usage(command);
	if (!err)
		err = netns_enter(listing.netns);
	if (!err)
		err = list_ports(&listing);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
