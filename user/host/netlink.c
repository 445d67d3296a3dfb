// SPDX-License-Identifier: GPL-2.0-only
#include "host/netlink.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/* Reads a part of the answer. Returns 1 if more follows, 0 at the end, or a negative errno. */
static int read_answer(int fd, netlink_call call, void *data)
{
	char buffer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
	unsigned int left = size;

	if (size < 0)
		return errno == EINTR ? 1 : -errno;
	for (struct nlmsghdr *header = (void *)buffer; NLMSG_OK(header, left);
	     header = NLMSG_NEXT(header, left)) {
		int err;

		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		if (header->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(header))->error ?: -EIO;
		err = call(header, data);
		if (err || !(header->nlmsg_flags & NLM_F_MULTI))
			return err;
	}
	return 1;
}

int netlink_request(int family, const struct nlmsghdr *request, netlink_call call, void *data)
{
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
	int more = 1;

	if (fd < 0 || send(fd, request, request->nlmsg_len, 0) < 0)
		return -errno;
	while (more > 0)
		more = read_answer(fd, call, data);
	return more;
}
