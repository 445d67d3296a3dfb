// SPDX-License-Identifier: GPL-2.0-only
/* ports: what listens, what the rules let through, and what the outside sees. */
#include "base/utf8.h"
#include "cli/command.h"
#include "host/netns.h"
#include "print/output.h"
#include "state/inventory.h"

struct ports {
	const char *iface;
	const char *netns;
	struct prefix source;
	bool all;
	bool json;
};

static const struct cli_option ports_options[] = {
	{ "all", 'a', NULL, "show every port", CLI_FLAG(struct ports, all) },
	{ "from", 0, "ADDRESS",
	  "show what this source sees, with its grants; default: a source that no rule names",
	  CLI_ADDRESS(struct ports, source) },
	{ "on", 0, "IFACE",
	  "packets arrive on IFACE; default: on any attached interface that has a device, so a "
	  "port that is open on one of them is open",
	  CLI_TEXT(struct ports, iface) },
	{ CLI_NETNS(struct ports, netns) },
	{ CLI_JSON(struct ports, json) },
	{ 0 },
};

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

static bool is_shown(const struct inventory *inventory, __u32 key, bool all)
{
	struct port_counter counter = inventory_counter(inventory, key);
	size_t count;

	inventory_listeners(inventory, key, &count);
	return all || count || port_packets(&counter) ||
	       inventory->outlook.marks[key] & MARK_NAMED;
}

/* The first port key to show, from `key` on; PORT_KEYS if there is none. */
static __u32 next_shown(const struct inventory *inventory, __u32 key, bool all)
{
	while (key < PORT_KEYS && !is_shown(inventory, key, all))
		key++;
	return key;
}

/* Prints row by row: building one JSON tree of all ports would take longer than the rest. */
static void ports_print_json(const struct inventory *inventory, bool all)
{
	const char *separator = "";

	fputs("{\"ports\":[", stdout);
	for (__u32 key = next_shown(inventory, 0, all); key < PORT_KEYS;
	     key = next_shown(inventory, key + 1, all)) {
		json_t *row = port_json(inventory, key);

		fputs(separator, stdout);
		json_dumpf(row, stdout, JSON_COMPACT);
		json_decref(row);
		separator = ",";
	}
	puts("]}");
}

/* The first listener as text, and the number of the others. */
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

static void ports_print_table(const struct inventory *inventory, bool all)
{
	json_t *rows = json_array();

	for (__u32 key = next_shown(inventory, 0, all); key < PORT_KEYS;
	     key = next_shown(inventory, key + 1, all)) {
		json_t *row = port_json(inventory, key);

		json_object_set_new(row, "listeners",
				    listener_text(json_object_get(row, "listeners")));
		json_array_append_new(rows, row);
	}
	print_rows("ports", rows, false);
	json_decref(rows);
}

static int ports_run(const struct command *command, int argc, char **argv)
{
	struct ports ports = { 0 };
	struct inventory inventory;
	int err, status = command_parse(command, &argc, argv, &ports);

	if (status)
		return status;
	if (netns_enter(ports.netns))
		return EXIT_REFUSED;
	inventory = (struct inventory){ .iface = ports.iface, .source = ports.source };
	err = inventory_take(&inventory);
	if (!err) {
		(ports.json ? ports_print_json : ports_print_table)(&inventory, ports.all);
		inventory_note_hidden(&inventory);
	}
	inventory_clear(&inventory);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_ports_entry = {
	.name = "ports",
	.arguments = "",
	.summary = "Show which ports listen, and what the outside sees of them",
	.help = "Shows a row for each port on which a program listens, that a rule names, or "
		"that had packets. The state is the one that nmap(1) would find: open, closed "
		"or filtered; of UDP also open|filtered, where nobody outside can know.",
	.options = ports_options,
	.run = ports_run,
	.privileges = PRIVILEGES_READ | PRIVILEGES_PROCESSES | PRIVILEGES_NAMESPACES,
};
