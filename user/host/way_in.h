/* SPDX-License-Identifier: GPL-2.0-only */
/* Through which devices packets come in, by the kernel's devices, addresses and routes. */
#ifndef WAY_IN_H
#define WAY_IN_H

#include <net/if.h>

#include "host/connections.h"

/* Devices above each other; also what ends a circle, as the two of a veth pair are. */
#define DEVICE_LEVELS 8

struct device {
	unsigned int ifindex;
	unsigned int master; /* of a bridge, a bond or a VRF that it is a port of; 0: none */
	unsigned int link; /* that its frames come in on as they are: of a VLAN; 0: none */
	char kind[IFNAMSIZ]; /* "bridge", "vlan"; "": hardware */
};

struct held_address {
	unsigned int ifindex;
	struct prefix address;
};

/* What is there in this network namespace. */
struct devices {
	struct device *list;
	size_t count;
	size_t room;
	struct held_address *addresses;
	size_t address_count;
	size_t address_room;
};

/* Returns 0 or a negative errno and says nothing; clear it, also after a failure. */
int devices_list(struct devices *devices);
void devices_clear(struct devices *devices);

/*
 * Whether what comes in on one device may go on to the other: it is the same, or a port
 * of it, or what it is a VLAN of, through any number of others.
 */
bool lies_below(const struct devices *devices, unsigned int ifindex, unsigned int upper);

/*
 * How many devices there are below one, one below the other: 0 for hardware, more for its
 * VLANs, and for a bridge or bond than for its ports. At most DEVICE_LEVELS.
 */
unsigned int device_level(const struct devices *devices, unsigned int ifindex);

/* Whether an address is this host's, by its routes; also where the kernel does not say. */
bool is_own_address(const struct prefix *address);

/*
 * Whether packets of a connection may come in on a device: unless it is known that they
 * do not, which is where the device that has the address is also on the way to the peer
 * and this one is not below it. A peer that is this host itself comes in on "lo".
 */
bool may_come_in_on(const struct devices *devices, const struct connection *connection,
		    unsigned int ifindex);

#endif
