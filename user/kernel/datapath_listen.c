// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/datapath_listen.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/netns.h"
#include "kernel/datapath_internal.h"

#include "listen.skel.h" /* needs struct socket_event */

struct listen_watch {
	struct listen_bpf *program;
	struct ring_buffer *ring;
	void (*call)(const struct socket_event *event, void *data);
	void *data;
};

/* Opens the root of the cgroup2 hierarchy, which contains every process. */
static int open_root_cgroup(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;
	int fd = -ENOENT;

	while (mounts && fd < 0 && (entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2"))
			continue;
		fd = open(entry->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	if (mounts)
		endmntent(mounts);
	return fd;
}

static int attach_programs(struct listen_bpf *program)
{
	cleanup_close int cgroup = open_root_cgroup();

	if (cgroup < 0)
		return cgroup;
	program->links.tcp_state = bpf_program__attach(program->progs.tcp_state);
	program->links.udp_bound4 =
		bpf_program__attach_cgroup(program->progs.udp_bound4, cgroup);
	program->links.udp_bound6 =
		bpf_program__attach_cgroup(program->progs.udp_bound6, cgroup);
	return program->links.tcp_state && program->links.udp_bound4 &&
			       program->links.udp_bound6
		       ? 0
		       : -errno;
}

static int deliver_socket_event(void *data, void *event, size_t size)
{
	struct listen_watch *watch = data;

	if (size == sizeof(struct socket_event))
		watch->call(event, watch->data);
	return 0;
}

static int start_watch(struct listen_watch *watch)
{
	int err;

	watch->program = listen_bpf__open();
	if (!watch->program)
		return -errno;
	debug_programs(watch->program->obj);
	err = netns_cookie((__u64 *)&watch->program->rodata->netns);
	err = err ?: listen_bpf__load(watch->program);
	err = err ?: attach_programs(watch->program);
	if (err)
		return err;
	watch->ring = ring_buffer__new(bpf_map__fd(watch->program->maps.news),
				       deliver_socket_event, watch, NULL);
	return watch->ring ? 0 : -errno;
}

int listen_watch_open(struct listen_watch **watch)
{
	libbpf_print_fn_t print = libbpf_set_print(debug_print);
	struct listen_watch *made = calloc(1, sizeof(*made));
	int err = made ? start_watch(made) : -ENOMEM;

	libbpf_set_print(print);
	if (err) {
		listen_watch_free(made);
		made = NULL;
	}
	*watch = made;
	return err;
}

int listen_watch_wait(struct listen_watch *watch, int milliseconds,
		      void (*call)(const struct socket_event *event, void *data), void *data)
{
	watch->call = call;
	watch->data = data;
	return ring_buffer__poll(watch->ring, milliseconds);
}

void listen_watch_free(struct listen_watch *watch)
{
	if (!watch)
		return;
	ring_buffer__free(watch->ring);
	listen_bpf__destroy(watch->program);
	free(watch);
}
