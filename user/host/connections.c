// SPDX-License-Identifier: GPL-2.0-only
#include "host/connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <netinet/tcp.h>
#include <string.h>

#include "host/sockets.h"
#include "base/array.h"
#include "base/cleanup.h"

/* What a walk over the sockets finds. */
struct socket_walk {
	unsigned char listening[PORT_KEYS];
	struct connections *connections;
};

/* An IPv4-mapped address of an IPv6 socket stands for IPv4. */
static struct prefix make_address(int family, const __be32 *address)
{
	struct prefix prefix = { .family = 6, .length = 128 };

	if (family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address)) {
		memcpy(prefix.address, address, 16);
		return prefix;
	}
	prefix.family = 4;
	prefix.length = 32;
	memcpy(prefix.address, family == AF_INET6 ? address + 3 : address, 4);
	return prefix;
}

static int add_socket(const struct inet_diag_msg *message, size_t size, void *data)
{
	struct socket_walk *walk = data;
	struct connections *connections = walk->connections;
	__u16 port = ntohs(message->id.idiag_sport);
	int err;

	(void)size;
	if (message->idiag_state == TCP_LISTEN) {
		walk->listening[PORT_KEY_TCP + port] = 1;
		return 0;
	}
	if (message->idiag_state == TCP_CLOSE) {
		walk->listening[PORT_KEY_UDP + port] = 1;
		return 0;
	}
	err = array_reserve(&connections->list, &connections->room, connections->count,
			    sizeof(*connections->list));
	if (err)
		return err;
	connections->list[connections->count++] = (struct connection){
		.remote = make_address(message->idiag_family, message->id.idiag_dst),
		.local = make_address(message->idiag_family, message->id.idiag_src),
		.remote_port = ntohs(message->id.idiag_dport),
		.local_port = port,
		.ifindex = message->id.idiag_if,
	};
	return 0;
}

int connections_listening(unsigned char listening[PORT_KEYS])
{
	cleanup_free struct socket_walk *walk = calloc(1, sizeof(*walk));
	int err = -ENOMEM;

	if (walk)
		err = sockets_each_listening(add_socket, walk);
	if (!err)
		memcpy(listening, walk->listening, PORT_KEYS);
	return err;
}

int connections_inbound(struct connections *connections)
{
	cleanup_free struct socket_walk *walk = calloc(1, sizeof(*walk));
	size_t kept = 0;
	int err;

	*connections = (struct connections){ 0 };
	if (!walk)
		return -ENOMEM;
	walk->connections = connections;
	err = sockets_each(IPPROTO_TCP, 1 << TCP_LISTEN | 1 << TCP_ESTABLISHED, add_socket,
			   walk);
	for (size_t i = 0; i < connections->count; i++) {
		if (walk->listening[PORT_KEY_TCP + connections->list[i].local_port])
			connections->list[kept++] = connections->list[i];
	}
	connections->count = kept;
	return err;
}
