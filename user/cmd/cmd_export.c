// SPDX-License-Identifier: GPL-2.0-only
/* export: serve the counters to Prometheus. The code is in main/main_export.c. */
#include "cmd/programs.h"

#include "portctl/key.h"

static const struct cli_option export_options[] = {
	{ "listen", 0, "ADDRESS:PORT",
	  "listen there (127.0.0.1:9847); an IPv6 address is in brackets: [::1]:9847",
	  CLI_TEXT(struct export_options, listen) },
	{ "max-ports", 0, "N",
	  "export a series for each of the N busiest ports of an interface (1000), and "
	  "one, port=\"other\", for the sum of the others",
	  CLI_NUMBER(struct export_options, max_ports, 0, PORT_KEYS) },
	{ 0 },
};

const struct command cmd_export_entry = {
	.name = "export",
	.arguments = "",
	.summary = "Serve the counters to Prometheus by HTTP",
	.help = "Serves /metrics and /healthz until it is ended. Each scrape shows the "
		"interfaces that are attached at that moment.",
	.options = export_options,
	.privileges = PRIVILEGES_READ | CAPABILITY(NET_BIND_SERVICE) | CAPABILITY(SETPCAP) |
		      CAPABILITY(SETUID) | CAPABILITY(SETGID),
};
