// SPDX-License-Identifier: GPL-2.0-only
#include "connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "util.h"

#define LISTENING (1 << TCP_LISTEN)
#define UNCONNECTED (1 << TCP_CLOSE) /* of a UDP socket */

/* What is collected: port keys that somebody listens on, and connections. */
struct collection {
	unsigned char listening[PORT_KEYS];
	struct connections *connections;
};

static int send_request(int fd, int family, int protocol, int states)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.request = {
			.sdiag_family = family,
			.sdiag_protocol = protocol,
			.idiag_states = states,
		},
	};

	return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

/* IPv4 in an IPv6 socket is IPv4 on the wire. */
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

static int add_socket(struct collection *collection, const struct inet_diag_msg *message)
{
	struct connections *connections = collection->connections;
	__u16 port = ntohs(message->id.idiag_sport);
	int err;

	if (message->idiag_state == TCP_LISTEN) {
		collection->listening[PORT_KEY_TCP + port] = 1;
		return 0;
	}
	if (message->idiag_state == TCP_CLOSE) {
		collection->listening[PORT_KEY_UDP + port] = 1;
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
	};
	return 0;
}

/* Reads one answer; 1: more come, 0: that was all, or a negative errno. */
static int read_answer(int fd, struct collection *collection)
{
	char buffer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
	unsigned int left = size;
	int err = 0;

	if (size < 0)
		return errno == EINTR ? 1 : -errno;
	for (struct nlmsghdr *header = (void *)buffer; NLMSG_OK(header, left) && !err;
	     header = NLMSG_NEXT(header, left)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		if (header->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(header))->error ?: -EIO;
		if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY)
			err = add_socket(collection, NLMSG_DATA(header));
	}
	return err ?: 1;
}

static int collect(struct collection *collection, int family, int protocol, int states)
{
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int err = fd < 0 ? -errno : send_request(fd, family, protocol, states);

	while (!err) {
		err = read_answer(fd, collection);
		if (err <= 0)
			return err;
		err = 0;
	}
	return err;
}

static int collect_both(struct collection *collection, int protocol, int states)
{
	return collect(collection, AF_INET, protocol, states)
		       ?: collect(collection, AF_INET6, protocol, states);
}

int listening_ports(unsigned char listening[PORT_KEYS])
{
	cleanup_free struct collection *collection = calloc(1, sizeof(*collection));
	int err = -ENOMEM;

	if (collection)
		err = collect_both(collection, IPPROTO_TCP, LISTENING)
			      ?: collect_both(collection, IPPROTO_UDP, UNCONNECTED);
	if (!err)
		memcpy(listening, collection->listening, PORT_KEYS);
	return err;
}

int connections_inbound(struct connections *connections)
{
	cleanup_free struct collection *collection = calloc(1, sizeof(*collection));
	size_t kept = 0;
	int err;

	*connections = (struct connections){ 0 };
	if (!collection)
		return -ENOMEM;
	collection->connections = connections;
	err = collect_both(collection, IPPROTO_TCP, LISTENING | 1 << TCP_ESTABLISHED);
	for (size_t i = 0; i < connections->count; i++) {
		if (collection->listening[PORT_KEY_TCP + connections->list[i].local_port])
			connections->list[kept++] = connections->list[i];
	}
	connections->count = kept;
	return err;
}
