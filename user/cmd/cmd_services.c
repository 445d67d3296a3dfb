// SPDX-License-Identifier: GPL-2.0-only
/* services: names and classes of ports. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "print/output.h"
#include "rules/names.h"

static void services_add(json_t *rows, __u32 key)
{
	json_array_append_new(rows,
			      json_pack("{s:i, s:s, s:s, s:o}", "port", key_port(key), "proto",
					key_protocol(key), "class", port_class(key_port(key)),
					"service", text_json(service_name(key))));
}

/* Adds both protocols of a port, with or without a name. */
static int services_add_port(json_t *rows, unsigned long port)
{
	services_add(rows, PORT_KEY_TCP + port);
	services_add(rows, PORT_KEY_UDP + port);
	return 0;
}

static int services_add_name(json_t *rows, const char *name)
{
	int tcp = service_port(name, TRANSPORT_TCP), udp = service_port(name, TRANSPORT_UDP);

	if (tcp < 0 && udp < 0)
		return fail(-ENOENT,
			    "argv: found \"%s\", expected a port, or a name in /etc/services",
			    name);
	if (tcp >= 0)
		services_add(rows, PORT_KEY_TCP + tcp);
	if (udp >= 0)
		services_add(rows, PORT_KEY_UDP + udp);
	return 0;
}

/* Adds all names, in the order of ports; in the order of keys, all of TCP would come first. */
static int services_add_all(json_t *rows)
{
	for (__u32 port = 0; port < PORT_KEY_UDP; port++) {
		if (service_name(PORT_KEY_TCP + port))
			services_add(rows, PORT_KEY_TCP + port);
		if (service_name(PORT_KEY_UDP + port))
			services_add(rows, PORT_KEY_UDP + port);
	}
	return 0;
}

static int services_add_word(json_t *rows, const char *word)
{
	unsigned long port;
	int err = number_parse(word, strlen(word), 65535, &port);

	if (err == -ERANGE)
		return fail(err, "argv: found \"%s\", expected a port of at most 65535", word);
	return err ? services_add_name(rows, word) : services_add_port(rows, port);
}

static int services_run(const struct command *command, int argc, char **argv)
{
	bool json = false;
	int err, status = command_parse(command, &argc, argv, &json);
	json_t *rows;

	if (status)
		return status;
	rows = json_array();
	err = argc == 2 ? services_add_word(rows, argv[1]) : services_add_all(rows);
	if (!err)
		print_rows("services", rows, json);
	json_decref(rows);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_services_entry = {
	.name = "services",
	.arguments = "[PORT|NAME]",
	.summary = "Show names and classes of ports",
	.help = "The names are those of /etc/services, which rules can use. Needs no privileges.",
	.examples = "  portctl services 22\n"
		    "  portctl services domain\n",
	.options = options_json,
	.words = { 0, 1 },
	.run = services_run,
	.privileges = PRIVILEGES_NONE,
};
