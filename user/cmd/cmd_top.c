// SPDX-License-Identifier: GPL-2.0-only
/* top: the busiest ports on the whole screen. The code is in main/main_top.c. */
#include "cmd/programs.h"

static const struct cli_option top_options[] = {
	{ "interval", 'i', "SECONDS", "read the counters every SECONDS (1)", .brief = true,
	  CLI_NUMBER(struct top_options, interval, 1, 3600) },
	{ 0 },
};

const struct command cmd_top_entry = {
	.name = "top",
	.arguments = "",
	.summary = "Show the busiest ports on the whole screen",
	.help = "The last line lists the keys. Up and down move the cursor to a port; for that "
		"port the sources of dropped packets are shown. A filter is a port, a range, a "
		"service, tcp or udp.",
	.options = top_options,
	.privileges = PRIVILEGES_READ,
};
