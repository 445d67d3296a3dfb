// SPDX-License-Identifier: GPL-2.0-only
/* lies_below() and device_level(): bonds, bridges, VLANs and veth pairs. */
#include "unit.h"

#include "host/way_in.h"

enum { NIC0 = 2, NIC1, NIC2, BOND, VLAN, BRIDGE, TAP, SWITCH, INNER, OUTER, LEFT, RIGHT };

static struct device list[] = {
	{ .ifindex = NIC0, .master = BOND },
	{ .ifindex = NIC1, .master = BOND },
	{ .ifindex = NIC2, .master = SWITCH },
	{ .ifindex = BOND, .kind = "bond" },
	{ .ifindex = VLAN, .master = BRIDGE, .link = BOND, .kind = "vlan" },
	{ .ifindex = BRIDGE, .kind = "bridge" },
	{ .ifindex = TAP, .master = BRIDGE, .kind = "tun" },
	{ .ifindex = SWITCH, .kind = "openvswitch" },
	{ .ifindex = INNER, .kind = "openvswitch" },
	{ .ifindex = OUTER, .link = 99, .kind = "macvlan" },
	{ .ifindex = LEFT, .link = RIGHT, .kind = "veth" },
	{ .ifindex = RIGHT, .link = LEFT, .kind = "veth" },
};

static const struct devices devices = { .list = list, .count = ARRAY_SIZE(list) };

static void test_lies_below(void **state)
{
	static const unsigned int pairs[][2] = {
		{ NIC0, NIC0 },	  { NIC0, BOND },   { NIC1, BOND },   { BOND, VLAN },
		{ NIC1, VLAN },	  { NIC1, BRIDGE }, { BOND, BRIDGE }, { TAP, BRIDGE },
		{ NIC2, SWITCH }, { NIC2, INNER },  { LEFT, RIGHT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_true(device_is_below(&devices, pairs[i][0], pairs[i][1]));
}

/* A device above or beside another does not lie below it; loops end. */
static void test_does_not_lie_below(void **state)
{
	static const unsigned int pairs[][2] = {
		{ NIC1, NIC0 }, { BOND, NIC0 },	 { NIC2, BOND },   { TAP, VLAN },
		{ TAP, BOND },	{ NIC0, INNER }, { NIC2, BRIDGE }, { NIC0, OUTER },
		{ NIC0, LEFT }, { NIC0, 98 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_false(device_is_below(&devices, pairs[i][0], pairs[i][1]));
}

/* The longest chain of devices below; the two ends of a veth pair are on the same level. */
static void test_device_level(void **state)
{
	static const unsigned int levels[][2] = {
		{ NIC0, 0 },   { TAP, 0 },   { BOND, 1 }, { VLAN, 2 },	{ BRIDGE, 3 },
		{ SWITCH, 1 }, { OUTER, 0 }, { LEFT, 0 }, { RIGHT, 0 }, { 98, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		assert_int_equal(device_level(&devices, levels[i][0]), levels[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lies_below),
		cmocka_unit_test(test_does_not_lie_below),
		cmocka_unit_test(test_device_level),
	};

	return run_suite("way_in", tests);
}
