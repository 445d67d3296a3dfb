// SPDX-License-Identifier: GPL-2.0-only
/* The workloads: one for each row of the tables. */
#include "live.h"

/*
 * The parts in the bounds are what the bounds meant on the machine where they were set: the
 * empty program took 42 ns a packet on one port and 50 on all ports, xdp-filter 73 and nftables
 * 435. So 1.25 times xdp-filter's rate meant to add 17 ns where xdp-filter adds 31, and 6 times
 * nftables' rate meant to add 22 ns where nftables adds 385.
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
	{ .name = "signed knocks, wrong tags", .signature = FLOOD },
	{ .name = "passes: allowed port", .fate = ALLOWED },
	{ .name = "passes: allowed, knocks", .fate = ALLOWED, .knocks = true },
	{ .name = "passes: established TCP", .fate = ESTABLISHED },
	{ .name = "passes: UDP reply", .fate = REPLY },
	{ .name = "a signed knock, wrong tag", .signature = BOGUS },
	{ .name = "a signed knock, right tag", .signature = GOOD },
};

const size_t workload_count = sizeof(workloads) / sizeof(*workloads);
