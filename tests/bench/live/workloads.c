// SPDX-License-Identifier: GPL-2.0-only
/* The rows. */
#include "live.h"

const struct workload workloads[] = {
	{ .name = "one port", .bounds = { { "empty", 0.85 }, { "xdp-filter", 1.25 } } },
	{ .name = "one port, IPv6", .ipv6 = true },
	{ .name = "one port, VLAN", .vlan = true },
	{ .name = "1 rule, its port", .ports = 1 },
	{ .name = "1,000 rules, their ports", .ports = 1000 },
	{ .name = "65,536 rules, all ports",
	  .ports = 65536,
	  .bounds = { { "empty", 0.75 }, { "nft netdev", 6 } } },
	{ .name = "10 sources", .sources = 10 },
	{ .name = "10,000 sources", .sources = 10000 },
	{ .name = "100,000 sources", .sources = 100000 },
	{ .name = "default drop", .closed = true },
	{ .name = "default drop, knocks",
	  .rules = "default drop\nallow 22/tcp\nknock a opens 80/tcp for 30s after "
		   "7000/tcp 9000/udp 8000/tcp within 1h\n" },
	{ .name = "bogus signed knocks", .is_signed = true },
};

const size_t workload_count = sizeof(workloads) / sizeof(*workloads);
