// SPDX-License-Identifier: GPL-2.0-only
#include "rules/ruleset_options.h"

#include <netinet/in.h>
#include <stdio.h>

/* UDP ports of DHCP clients: RFC 2131 for IPv4, RFC 8415 for IPv6. */
#define DHCP_CLIENT 68
#define DHCP6_CLIENT 546

#define ECHO_RATE 1000
#define STRING_OF(value) #value
#define STRING(value) STRING_OF(value)

const struct option_info option_table[OPTIONS] = {
	[OPTION_FRAGMENTS] = {
		.name = "fragments",
		.pass = "pass",
		.drop = "drop",
		.initial = VERDICT_PASS,
		.help = "fragments that are not the first of their packet; pass is the default, since "
			"they are useless without the first",
		.keys = { { KEY_FRAGMENT, 0 } },
		.line = LINE_FRAGMENT_PASS,
		.drop_line = LINE_FRAGMENT_DROP,
	},
	[OPTION_ERRORS] = {
		.name = "icmp-errors",
		.pass = "on",
		.drop = "off",
		.initial = VERDICT_PASS,
		.reason = "the icmp-errors lifeline allows ICMP errors",
		.help = "destination unreachable, packet too big, time exceeded, parameter problem",
		.lifeline = true,
		.keys = { { KEY_ERROR, KEY_PROTOCOL + IPPROTO_ICMP },
			  { KEY_ERROR6, KEY_PROTOCOL + IPPROTO_ICMPV6 } },
		.line = LINE_ERROR,
	},
	[OPTION_NEIGHBOURS] = {
		.name = "neighbours",
		.pass = "on",
		.drop = "off",
		.initial = VERDICT_PASS,
		.reason = "the neighbours lifeline allows neighbour discovery",
		.help = "ICMPv6 neighbour discovery and multicast listener discovery",
		.lifeline = true,
		.keys = { { KEY_NEIGHBOUR, KEY_PROTOCOL + IPPROTO_ICMPV6 } },
		.line = LINE_NEIGHBOUR,
	},
	[OPTION_ECHO] = {
		.name = "echo",
		.pass = "on",
		.drop = "off",
		.initial = VERDICT_PASS,
		.reason = "the echo lifeline allows echo requests",
		.help = "echo requests (ping); at most " STRING(ECHO_RATE) " a second, unless the "
			"default is allow",
		.lifeline = true,
		.keys = { { KEY_ECHO, KEY_PROTOCOL + IPPROTO_ICMP },
			  { KEY_ECHO6, KEY_PROTOCOL + IPPROTO_ICMPV6 } },
		.line = LINE_ECHO,
		.rate = ECHO_RATE,
		.limited_line = LINE_ECHO_LIMITED,
	},
	[OPTION_DHCP] = {
		.name = "dhcp",
		.pass = "on",
		.drop = "off",
		.initial = VERDICT_PASS,
		.reason = "the dhcp lifeline allows packets from DHCP servers",
		.help = "packets from a DHCP server's port to a client's",
		.lifeline = true,
		.keys = { { PORT_KEY_UDP + DHCP_CLIENT, 0 }, { PORT_KEY_UDP + DHCP6_CLIENT, 0 } },
		.flag = ENTRY_DHCP,
		.line = LINE_DHCP,
	},
};

const char *option_value(enum rule_option option, enum verdict verdict)
{
	const struct option_info *info = &option_table[option];

	return verdict == VERDICT_PASS ? info->pass : info->drop;
}

enum rule_option option_of_line(enum line line)
{
	enum rule_option option = 0;

	while (option < OPTIONS && option_table[option].line != line)
		option++;
	return option;
}

void options_describe(bool lifelines, describe_fn *describe, void *data)
{
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		const struct option_info *info = &option_table[option];
		char term[DESCRIBED_TERM];

		if (info->lifeline != lifelines)
			continue;
		snprintf(term, sizeof(term), "%s %s|%s", info->name, info->pass, info->drop);
		describe(term, info->help, data);
	}
}
