// SPDX-License-Identifier: GPL-2.0-only
#include "host/way_in.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>

#include "host/netlink.h"
#include "rules/prefix.h"
#include "host/sockets.h"
#include "base/array.h"

/* The attributes of a netlink message, by type. Types beyond those used here are left out. */
struct attributes {
	struct rtattr *of[IFLA_LINK_NETNSID + 1];
};

static void read_attributes(struct rtattr *attribute, unsigned int left,
			    struct attributes *attributes)
{
	*attributes = (struct attributes){ 0 };
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		unsigned int type = attribute->rta_type & NLA_TYPE_MASK;

		if (type < ARRAY_SIZE(attributes->of))
			attributes->of[type] = attribute;
	}
}

static unsigned int read_index(const struct rtattr *attribute)
{
	return attribute ? *(unsigned int *)RTA_DATA(attribute) : 0;
}

/*
 * Whether the packets of a device come to the device below it inside other packets (or without
 * an Ethernet header). The device below judges the outer packets.
 */
static bool is_tunnel(unsigned short type, const char *kind)
{
	static const char *const kinds[] = { "vxlan", "gretap", "ip6gretap", "macsec" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kind, kinds[i]))
			return true;
	}
	return type != ARPHRD_ETHER;
}

static int add_device(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);
	struct devices *devices = data;
	struct device device = { .ifindex = link->ifi_index };
	struct attributes outer, info = { 0 };
	int err;

	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	read_attributes(IFLA_RTA(link), IFLA_PAYLOAD(message), &outer);
	if (outer.of[IFLA_LINKINFO])
		read_attributes(RTA_DATA(outer.of[IFLA_LINKINFO]),
				RTA_PAYLOAD(outer.of[IFLA_LINKINFO]), &info);
	if (info.of[IFLA_INFO_KIND])
		snprintf(device.kind, sizeof(device.kind), "%.*s",
			 (int)RTA_PAYLOAD(info.of[IFLA_INFO_KIND]),
			 (char *)RTA_DATA(info.of[IFLA_INFO_KIND]));
	device.master = read_index(outer.of[IFLA_MASTER]);
	/* The index of a device in another network namespace means nothing here. */
	if (!outer.of[IFLA_LINK_NETNSID] && !is_tunnel(link->ifi_type, device.kind))
		device.link = read_index(outer.of[IFLA_LINK]);
	err = array_reserve(&devices->list, &devices->room, devices->count, sizeof(device));
	if (!err)
		devices->list[devices->count++] = device;
	return err;
}

static int add_address(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *holder = NLMSG_DATA(message);
	struct devices *devices = data;
	struct held_address held = { .ifindex = holder->ifa_index };
	struct attributes attributes;
	const struct rtattr *local;
	int err;

	if (message->nlmsg_type != RTM_NEWADDR)
		return 0;
	read_attributes(IFA_RTA(holder), IFA_PAYLOAD(message), &attributes);
	local = attributes.of[IFA_LOCAL] ?: attributes.of[IFA_ADDRESS];
	if (!local || RTA_PAYLOAD(local) > sizeof(held.address.address))
		return 0;
	held.address.family = holder->ifa_family == AF_INET ? 4 : 6;
	held.address.length = 8 * RTA_PAYLOAD(local);
	memcpy(held.address.address, RTA_DATA(local), RTA_PAYLOAD(local));
	err = array_reserve(&devices->addresses, &devices->address_room, devices->address_count,
			    sizeof(held));
	if (!err)
		devices->addresses[devices->address_count++] = held;
	return err;
}

static int list_messages(int type, netlink_call call, struct devices *devices)
{
	struct {
		struct nlmsghdr header;
		struct rtgenmsg request;
	} message = {
		.header = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
	};

	return netlink_request(NETLINK_ROUTE, &message.header, call, devices);
}

int devices_list(struct devices *devices)
{
	*devices = (struct devices){ 0 };
	return list_messages(RTM_GETLINK, add_device, devices)
		       ?: list_messages(RTM_GETADDR, add_address, devices);
}

void devices_clear(struct devices *devices)
{
	free(devices->list);
	free(devices->addresses);
	*devices = (struct devices){ 0 };
}

static const struct device *find_device(const struct devices *devices, unsigned int ifindex)
{
	for (size_t i = 0; i < devices->count; i++) {
		if (devices->list[i].ifindex == ifindex)
			return &devices->list[i];
	}
	return NULL;
}

/*
 * Whether a device is a port of `upper`. Of Open vSwitch, the kernel does not say which bridge
 * a port belongs to: any of its bridges will do.
 */
static bool is_port(const struct devices *devices, const struct device *port,
		    const struct device *upper)
{
	const struct device *master = find_device(devices, port->master);

	return master && (master == upper || (!strcmp(master->kind, "openvswitch") &&
					      !strcmp(upper->kind, "openvswitch")));
}

static bool lies_within(const struct devices *devices, unsigned int ifindex,
			unsigned int upper_index, unsigned int levels)
{
	const struct device *upper = find_device(devices, upper_index);

	if (ifindex == upper_index)
		return true;
	if (!upper || !levels)
		return false;
	if (upper->link && lies_within(devices, ifindex, upper->link, levels - 1))
		return true;
	for (size_t i = 0; i < devices->count; i++) {
		const struct device *port = &devices->list[i];

		if (is_port(devices, port, upper) &&
		    lies_within(devices, ifindex, port->ifindex, levels - 1))
			return true;
	}
	return false;
}

bool device_is_below(const struct devices *devices, unsigned int ifindex, unsigned int upper)
{
	return lies_within(devices, ifindex, upper, DEVICE_LEVELS);
}

/* Neither end of a veth pair is below the other, though each is the other's link. */
static bool is_next_below(const struct device *lower, const struct device *upper)
{
	return lower->master == upper->ifindex ||
	       (upper->link == lower->ifindex && strcmp(upper->kind, "veth"));
}

static unsigned int level_of(const struct devices *devices, const struct device *upper,
			     unsigned int most)
{
	unsigned int level = 0;

	for (size_t i = 0; i < devices->count && level < most; i++) {
		const struct device *lower = &devices->list[i];

		if (is_next_below(lower, upper))
			level = MAX(level, 1 + level_of(devices, lower, most - 1));
	}
	return level;
}

unsigned int device_level(const struct devices *devices, unsigned int ifindex)
{
	const struct device *device = find_device(devices, ifindex);

	return device ? level_of(devices, device, DEVICE_LEVELS) : 0;
}

/* The route of packets to the peer. */
struct route {
	unsigned char type; /* RTN_LOCAL: the peer is this host */
	unsigned int ifindex;
};

static int read_route(const struct nlmsghdr *message, void *data)
{
	struct rtmsg *answer = NLMSG_DATA(message);
	struct route *route = data;
	struct attributes attributes;

	read_attributes(RTM_RTA(answer), RTM_PAYLOAD(message), &attributes);
	route->type = answer->rtm_type;
	route->ifindex = read_index(attributes.of[RTA_OIF]);
	return 0;
}

static void add_attribute(struct nlmsghdr *message, int type, const void *value, size_t size)
{
	struct rtattr *attribute = (void *)message + NLMSG_ALIGN(message->nlmsg_len);

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), value, size);
	message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + RTA_LENGTH(size);
}

static int find_route(const struct connection *connection, struct route *route)
{
	size_t size = connection->remote.length / 8;
	struct {
		struct nlmsghdr header;
		struct rtmsg request;
		char attributes[64];
	} message = {
		.header = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			.nlmsg_type = RTM_GETROUTE,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.request = {
			.rtm_family = connection->remote.family == 4 ? AF_INET : AF_INET6,
			.rtm_dst_len = connection->remote.length,
			.rtm_src_len = connection->local.length,
		},
	};

	if (connection->local.family != connection->remote.family)
		return -EINVAL;
	add_attribute(&message.header, RTA_DST, connection->remote.address, size);
	add_attribute(&message.header, RTA_SRC, connection->local.address, size);
	if (connection->ifindex)
		add_attribute(&message.header, RTA_OIF, &connection->ifindex,
			      sizeof(connection->ifindex));
	return netlink_request(NETLINK_ROUTE, &message.header, read_route, route);
}

bool way_in_is_own(const struct prefix *address)
{
	const struct connection connection = { .remote = *address,
					       .local = { .family = address->family } };
	struct route route;
	int err = find_route(&connection, &route);

	return err ? err != -ENETUNREACH : route.type == RTN_LOCAL;
}

static bool has_address(const struct devices *devices, unsigned int ifindex,
			const struct prefix *address)
{
	for (size_t i = 0; i < devices->address_count; i++) {
		const struct held_address *held = &devices->addresses[i];

		if (held->ifindex == ifindex && !prefix_compare(&held->address, address))
			return true;
	}
	return false;
}

bool way_in_is_possible(const struct devices *devices, const struct connection *connection,
			unsigned int ifindex)
{
	struct route route;

	if (find_route(connection, &route))
		return true;
	if (route.type == RTN_LOCAL)
		return ifindex == LOOPBACK_INDEX;
	/* Linux answers for an address on every device, not only on the one that has it. */
	return !has_address(devices, route.ifindex, &connection->local) ||
	       device_is_below(devices, ifindex, route.ifindex);
}
