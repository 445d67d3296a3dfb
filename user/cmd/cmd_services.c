// SPDX-License-Identifier: GPL-2.0-only
/* services: what ports are called, and what is called so. */
#include <errno.h>
#include <string.h>

#include "cmd/command.h"
#include "base/log.h"
#include "print/output.h"
#include "base/number.h"
#include "base/utf8.h"

static void add_row(json_t *rows, __u32 key)
{
	const char *name = service_name(key);

	json_array_append_new(rows,
			      json_pack("{s:i, s:s, s:s, s:o}", "port", key_port(key), "proto",
					key_protocol(key), "class", port_class(key_port(key)),
					"service", text_json(name)));
}

/* Both protocols of a port, whether they have a name or not. */
static int add_port(json_t *rows, unsigned long port)
{
	add_row(rows, PORT_KEY_TCP + port);
	add_row(rows, PORT_KEY_UDP + port);
	return 0;
}

static int add_name(json_t *rows, const char *name)
{
	int tcp = service_port(name, TRANSPORT_TCP), udp = service_port(name, TRANSPORT_UDP);

	if (tcp < 0 && udp < 0)
		return fail(-ENOENT,
			    "argv: found \"%s\", expected a port, or a name that "
			    "/etc/services has",
			    name);
	if (tcp >= 0)
		add_row(rows, PORT_KEY_TCP + tcp);
	if (udp >= 0)
		add_row(rows, PORT_KEY_UDP + udp);
	return 0;
}

/* By port, as the keys of both protocols would not be. */
static int add_all(json_t *rows)
{
	for (__u32 port = 0; port < PORT_KEY_UDP; port++) {
		if (service_name(PORT_KEY_TCP + port))
			add_row(rows, PORT_KEY_TCP + port);
		if (service_name(PORT_KEY_UDP + port))
			add_row(rows, PORT_KEY_UDP + port);
	}
	return 0;
}

static int add_word(json_t *rows, const char *word)
{
	unsigned long port;
	int err = number_parse(word, strlen(word), 65535, &port);

	if (err == -ERANGE)
		return fail(err, "argv: found \"%s\", expected a port of at most 65535", word);
	return err ? add_name(rows, word) : add_port(rows, port);
}

int cmd_services(const struct command *command, int argc, char **argv)
{
	json_t *rows = json_array();
	bool json;
	int words = parse_json(argc, argv, &json), err;

	if (words != 1 && words != 2) {
		json_decref(rows);
		return command_usage(command);
	}
	err = words == 2 ? add_word(rows, argv[1]) : add_all(rows);
	if (!err)
		print_rows("services", rows, json);
	json_decref(rows);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
