// SPDX-License-Identifier: GPL-2.0-only
#include "sockets.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "util.h"

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

/* Reads one answer; 1: more come, 0: that was all, or a negative errno. */
static int read_answer(int fd, socket_call call, void *data)
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
			err = call(NLMSG_DATA(header), NLMSG_PAYLOAD(header, 0), data);
	}
	return err ?: 1;
}

static int each_of_family(int family, int protocol, int states, socket_call call, void *data)
{
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int err = fd < 0 ? -errno : send_request(fd, family, protocol, states);

	while (!err) {
		err = read_answer(fd, call, data);
		if (err <= 0)
			return err;
		err = 0;
	}
	return err;
}

int each_socket(int protocol, int states, socket_call call, void *data)
{
	return each_of_family(AF_INET, protocol, states, call, data)
		       ?: each_of_family(AF_INET6, protocol, states, call, data);
}

int each_listening(socket_call call, void *data)
{
	return each_socket(IPPROTO_TCP, 1 << TCP_LISTEN, call, data)
		       ?: each_socket(IPPROTO_UDP, 1 << TCP_CLOSE, call, data);
}
