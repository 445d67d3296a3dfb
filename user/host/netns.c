// SPDX-License-Identifier: GPL-2.0-only
#include "host/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/number.h"
#include "base/privileges.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* older system headers lack it */
#endif

int netns_cookie(__u64 *cookie)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(*cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &length))
		return fail(-errno,
			    "cannot tell this network namespace from others (%s): Linux 6.0 "
			    "or newer is needed",
			    strerror(errno));
	return 0;
}

/* As in ip(8), a name in /run/netns goes before a process ID. */
static void find_path(const char *name, char path[PATH_MAX])
{
	unsigned long pid;

	snprintf(path, PATH_MAX, "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
	if (access(path, F_OK) && !number_parse(name, strlen(name), 1 << 30, &pid))
		snprintf(path, PATH_MAX, "/proc/%lu/ns/net", pid);
}

static int enter(const char *name)
{
	char path[PATH_MAX];
	cleanup_close int fd = -1;

	find_path(name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(-errno, "there is no network namespace \"%s\": cannot open %s: %s",
			    name, path, strerror(errno));
	if (setns(fd, CLONE_NEWNET))
		return fail(-errno, "cannot enter the network namespace %s: %s", path,
			    strerror(errno));
	return 0;
}

int netns_enter(const char *name)
{
	int err = name ? enter(name) : 0;

	return err ?: privileges_keep(~CAPABILITY(SYS_ADMIN));
}
