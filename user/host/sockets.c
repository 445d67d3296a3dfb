// SPDX-License-Identifier: GPL-2.0-only
#include "host/sockets.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "host/netlink.h"

struct listing {
	socket_call call;
	void *data;
};

static int handle_message(const struct nlmsghdr *message, void *data)
{
	const struct listing *listing = data;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	return listing->call(NLMSG_DATA(message), NLMSG_PAYLOAD(message, 0), listing->data);
}

static int each_of_family(int family, int protocol, int states, socket_call call, void *data)
{
	struct listing listing = { call, data };
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

	return netlink_request(NETLINK_SOCK_DIAG, &message.header, handle_message, &listing);
}

int sockets_each(int protocol, int states, socket_call call, void *data)
{
	return each_of_family(AF_INET, protocol, states, call, data)
		       ?: each_of_family(AF_INET6, protocol, states, call, data);
}

int sockets_each_listening(socket_call call, void *data)
{
	return sockets_each(IPPROTO_TCP, 1 << TCP_LISTEN, call, data)
		       ?: sockets_each(IPPROTO_UDP, 1 << TCP_CLOSE, call, data);
}
