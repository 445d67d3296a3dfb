// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel memory of a candidate. A BPF map says how much it uses (from Linux 6.4 on, by its
 * content). nftables does not, so there it is how much the kernel's memory grew: SUnreclaim,
 * VmallocUsed and Percpu of /proc/meminfo. On a machine that does something else too, that
 * figure is worth little.
 */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

#define MIB (1024 * 1024.0)
#define MOST_MAPS 1024

static __u32 maps[MOST_MAPS]; /* ids of the maps counted so far */
static size_t map_count;
static double total;

static double map_bytes(int fd)
{
	unsigned long long bytes = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "memlock: %llu", &bytes);
	if (file)
		fclose(file);
	return bytes;
}

static void add_map(__u32 id);

/* Adds the maps in a map of maps. */
static void add_inner(int fd)
{
	__u32 key, next, id;

	for (int end = bpf_map_get_next_key(fd, NULL, &next); !end;
	     end = bpf_map_get_next_key(fd, &key, &next)) {
		key = next;
		if (!bpf_map_lookup_elem(fd, &key, &id))
			add_map(id);
	}
}

static void add_map(__u32 id)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	int fd;

	for (size_t i = 0; i < map_count; i++) {
		if (maps[i] == id)
			return;
	}
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0 || map_count == MOST_MAPS)
		return;
	maps[map_count++] = id;
	total += map_bytes(fd);
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.key_size == sizeof(__u32) &&
	    (info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS || info.type == BPF_MAP_TYPE_HASH_OF_MAPS))
		add_inner(fd);
	close(fd);
}

static void add_program(int fd)
{
	__u32 ids[64], size = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = 64, .map_ids = (__u64)(unsigned long)ids };

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return;
	for (__u32 i = 0; i < info.nr_map_ids && i < 64; i++)
		add_map(ids[i]);
}

static void add_link(int fd)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);
	int program = -1;

	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		program = bpf_prog_get_fd_by_id(info.prog_id);
	if (program >= 0) {
		add_program(program);
		close(program);
	}
}

static int add_pin(const char *path, const struct stat *status, int type, struct FTW *place)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	char link[64], what[64] = "";
	int fd = type == FTW_F ? bpf_obj_get(path) : -1;

	(void)status;
	(void)place;
	if (fd < 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, what, sizeof(what) - 1) < 0)
		what[0] = 0;
	if (strstr(what, "bpf-map") && !bpf_obj_get_info_by_fd(fd, &info, &size))
		add_map(info.id);
	else if (strstr(what, "bpf-prog"))
		add_program(fd);
	else if (strstr(what, "link"))
		add_link(fd);
	close(fd);
	return 0;
}

double maps_memory(const char *folder)
{
	map_count = 0;
	total = 0;
	if (nftw(folder, add_pin, 16, FTW_PHYS)) {
		perror(folder);
		exit(1);
	}
	return total / MIB;
}

double kernel_memory(void)
{
	unsigned long long kib, sum = 0;
	char line[256], name[64];
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]: %llu", name, &kib) == 2 &&
		    (!strcmp(name, "SUnreclaim") || !strcmp(name, "VmallocUsed") ||
		     !strcmp(name, "Percpu")))
			sum += kib;
	}
	if (file)
		fclose(file);
	return sum / 1024.0;
}
