// SPDX-License-Identifier: GPL-2.0-only
/* The rows. */
#include "live.h"

/*
 * The parts are what the bounds mean on the machine they were set on: there the empty
 * program took 42 ns a packet on one port and 50 on all of them, xdp-filter 73 and nftables
 * 435. So 1.25 times xdp-filter's rate was to cost 17 ns where xdp-filter costs 31, and 6
 * times nftables' 22 ns where nftables costs 385.
 */
const struct workload workloads[] = {
	{ .name = "one port",
	  .receiver = true,
	  .bounds = { { "empty", 0.85, 0 }, { "xdp-filter", 1.25, 1 / 2.0 } } },
	{ .name = "one port, IPv6", .ipv6 = true },
	{ .name = "one port, VLAN", .vlan = true },
	{ .name = "random ports, default drop",
	  .ports = 65536,
	  .closed = true,
	  .listed = true },
	{ .name = "1 rule", .ports = 1, .rules = 1, .weighed = true },
	{ .name = "10 rules", .ports = 10, .rules = 10 },
	{ .name = "100 rules", .ports = 100, .rules = 100 },
	{ .name = "1,000 rules", .ports = 1000, .rules = 1000 },
	{ .name = "10,000 rules", .ports = 10000, .rules = 10000 },
	{ .name = "65,536 rules",
	  .ports = 65536,
	  .rules = 65536,
	  .weighed = true,
	  .listed = true,
	  .receiver = true,
	  .bounds = { { "empty", 0.75, 0 }, { "nft netdev", 6, 1 / 17.0 } } },
	{ .name = "10 sources", .sources = 10 },
	{ .name = "10,000 sources", .sources = 10000 },
	{ .name = "100,000 sources", .sources = 100000, .weighed = true },
	{ .name = "default drop", .closed = true },
	{ .name = "knocks, default drop",
	  .knocks = true,
	  .closed = true,
	  .bounds = { { "empty", 0.75, 0 } } },
	{ .name = "knocks, dropped port", .knocks = true, .bounds = { { "empty", 0.85, 0 } } },
	{ .name = "bogus signed knocks", .signature = FLOOD },
	{ .name = "passes: allowed port", .fate = ALLOWED },
	{ .name = "passes: the same, knocks", .fate = ALLOWED, .knocks = true },
	{ .name = "passes: established TCP", .fate = ESTABLISHED },
	{ .name = "passes: UDP reply", .fate = REPLY },
	{ .name = "a bogus signed knock", .signature = BOGUS },
	{ .name = "a good signed knock", .signature = GOOD },
};

const size_t workload_count = sizeof(workloads) / sizeof(*workloads);
