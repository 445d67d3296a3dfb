/* SPDX-License-Identifier: GPL-2.0-only */
/* Which devices packets come in through, by the kernel's devices, addresses and routes. */
#ifndef WAY_IN_H
#define WAY_IN_H

#include <net/if.h>

#include "host/connections.h"

/* The most devices that are followed above each other. Also ends loops, as in a veth pair. */
#define DEVICE_LEVELS 8

struct device {
	unsigned int ifindex;
	unsigned int master; /* the bridge, bond or VRF that it is a port of; 0: none */
	unsigned int link; /* the device below that its frames come from (VLAN); 0: none */
	char kind[IFNAMSIZ]; /* "bridge", "vlan" and so on; "": hardware */
};

/* An address of a device. */
struct held_address {
	unsigned int ifindex;
	struct prefix address;
};

/* The devices of this network namespace, and their addresses. */
struct devices {
	struct device *list;
	size_t count;
	size_t room;
	struct held_address *addresses;
	size_t address_count;
	size_t address_room;
};

/*
 * Lists the devices and addresses. Returns 0 or a negative errno, and prints nothing. Clear
 * with devices_clear(), also after a failure.
 */
int devices_list(struct devices *devices);
void devices_clear(struct devices *devices);

/*
 * Whether packets that come in on a device can go on to the device `upper`: it is the same
 * device, a port of `upper`, the device below the VLAN `upper`, or any chain of these.
 */
bool device_is_below(const struct devices *devices, unsigned int ifindex, unsigned int upper);

/*
 * The level of a device: 0 for hardware, and one more than the device below it for a VLAN, a
 * bridge or a bond. At most DEVICE_LEVELS.
 */
unsigned int device_level(const struct devices *devices, unsigned int ifindex);

/* Whether the routes say that an address is this host's. True if the kernel does not say. */
bool way_in_is_own(const struct prefix *address);

/*
 * Whether packets of a connection may come in on the device `ifindex`. False only if the route
 * to the peer leads through a device that has the local address, and `ifindex` is not below that
 * device. Packets of this host itself come in on "lo".
 */
bool way_in_is_possible(const struct devices *devices, const struct connection *connection,
			unsigned int ifindex);

#endif
