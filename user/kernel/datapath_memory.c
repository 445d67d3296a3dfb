// SPDX-License-Identifier: GPL-2.0-only
/* How much memory the kernel holds for what is pinned. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "kernel/datapath_load.h"
#include "base/cleanup.h"

/* As the kernel itself reckons it; 0 where it does not say. */
static __u64 memory_of(const struct datapath *dp, const char *iface, const char *pin)
{
	char path[PATH_MAX], line[256];
	cleanup_file FILE *info = NULL;
	cleanup_close int fd = -1;
	unsigned long long bytes = 0;

	pin_path(dp, iface, pin, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info)) {
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	}
	return bytes;
}

__u64 datapath_memory(const struct datapath *dp, const char *iface)
{
	__u64 bytes = 0;

	for (size_t i = 0; i < pinned_map_count; i++) {
		if (pinned_maps[i].shared == !iface)
			bytes += memory_of(dp, iface, pinned_maps[i].pin);
	}
	return bytes;
}
