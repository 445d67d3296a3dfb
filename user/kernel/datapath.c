// SPDX-License-Identifier: GPL-2.0-only
/* Opening: the lock, the folders, the pins, and the memory behind them. */
#include "kernel/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "kernel/datapath_internal.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/env.h"
#include "base/folder.h"
#include "base/log.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

const char *reason(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return "permission denied: run it as root, or with CAP_BPF, CAP_PERFMON and "
		       "CAP_NET_ADMIN";
	case ENOMEM:
		return "out of memory";
	case E2BIG: /* compile() */
		return "more rules would stand one behind the other for a port than a packet may "
		       "ask: portctl.rules(5), WHICH RULE WINS";
	case EUSERS: /* assign_lines() */
		return "there is no room for these knocks (64), or limits, beside those that "
		       "run: change some first, then the others";
	}
	return strerror(-err);
}

size_t page_align(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

void unmap(const void *memory, size_t size)
{
	if (memory)
		munmap((void *)memory, page_align(size));
}

int pin_map(const char *path, void **memory, size_t *size, size_t *count)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info);
	cleanup_close int fd = bpf_obj_get(path);
	void *mapped;

	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	if (size)
		*size = info.value_size;
	if (count)
		*count = info.max_entries;
	if (!memory)
		return 0;
	mapped = mmap(NULL, page_align((size_t)info.value_size * info.max_entries),
		      PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	*memory = mapped;
	return 0;
}

/*
 * A file's name in a BPF file system may have no dot, an interface's may, and an
 * interface's may have no colon (dev_valid_name).
 */
static void swap_characters(char *text, char from, char to)
{
	for (; *text; text++) {
		if (*text == from)
			*text = to;
	}
}

void pin_path(const struct datapath *dp, const char *iface, const char *pin,
	      char path[PATH_MAX])
{
	char folder[IFNAMSIZ] = "";

	if (iface)
		strncpy(folder, iface, IFNAMSIZ - 1);
	swap_characters(folder, '.', ':');
	snprintf(path, PATH_MAX, "%s%s%s%s%s", dp->path, iface ? "/" : "", folder,
		 *pin ? "/" : "", pin);
}

/* The folder that is there of `path` and those above it. */
static void nearest_folder(const char *path, char folder[PATH_MAX])
{
	snprintf(folder, PATH_MAX, "%s", path);
	while (access(folder, F_OK) && errno == ENOENT && strrchr(folder, '/') > folder)
		*strrchr(folder, '/') = 0;
}

static int check_bpffs(const char *path)
{
	char folder[PATH_MAX];
	struct statfs fs;

	nearest_folder(path, folder);
	if (statfs(folder, &fs))
		return fail(-errno, "%s: %s", folder, reason(-errno));
	if (fs.f_type != BPF_FS_MAGIC)
		return fail(-ENODEV,
			    "%s is not on a BPF file system, where the filter is kept: "
			    "mount -t bpf -o mode=700 bpf /sys/fs/bpf",
			    path);
	return 0;
}

int namespace_cookie(__u64 *cookie)
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

static int take_turn(struct datapath *dp, enum datapath_access access)
{
	const char *folder = run_folder();
	char path[PATH_MAX];
	int err = folder_check(folder);

	if (err)
		return err;
	if (mkdir(folder, 0700) && errno != EEXIST)
		return fail(-errno, "cannot make %s: %s", folder, reason(-errno));
	err = run_path("lock", path);
	if (err)
		return err;
	dp->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (dp->lock < 0)
		return fail(-errno, "cannot open %s: %s", path, reason(-errno));
	while (flock(dp->lock, access == DATAPATH_WRITE ? LOCK_EX : LOCK_SH)) {
		if (errno != EINTR)
			return fail(-errno, "cannot lock %s: %s", path, reason(-errno));
	}
	return 0;
}

static int open_control(struct datapath *dp)
{
	char path[PATH_MAX];
	size_t size;
	int err;

	pin_path(dp, NULL, "control", path);
	err = pin_map(path, (void **)&dp->control, &size, NULL);
	if (err == -ENOENT)
		return 0;
	if (err)
		return fail(err, "cannot open %s: %s", path, reason(err));
	if (size < sizeof(*dp->control) || dp->control->schema != PORTCTL_SCHEMA)
		return fail(-EPROTO,
			    "%s was made by another version of portctl (schema %u, not %u): "
			    "detach with that version, or rm -r %s to stop filtering",
			    dp->path, dp->control->schema, PORTCTL_SCHEMA, dp->path);
	return 0;
}

/* Makes a folder and those above it, all of them closed to other users. */
static int make_folders(const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	for (char *end = folder + 1; end; *end++ = '/') {
		end = strchr(end, '/');
		if (end)
			*end = 0;
		if (mkdir(folder, 0700) && errno != EEXIST)
			return -errno;
		if (!end)
			break;
	}
	return 0;
}

int datapath_create(struct datapath *dp)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	struct control control = { .schema = PORTCTL_SCHEMA, .created = utc_now() };
	char path[PATH_MAX];
	cleanup_close int fd = -1;
	__u32 zero = 0;
	int err;

	if (dp->control)
		return 0;
	err = make_folders(dp->path);
	if (!err && getrandom(control.secret, sizeof(control.secret), 0) < 0)
		err = -errno;
	if (err)
		return fail(err, "cannot make %s: %s", dp->path, reason(err));
	err = folder_check(dp->path); /* somebody may have been faster */
	if (err)
		return err;
	control.tai_offset = tai_offset();
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "control", sizeof(zero), sizeof(control), 1,
			    &opts);
	pin_path(dp, NULL, "control", path);
	if (fd < 0 || bpf_map_update_elem(fd, &zero, &control, BPF_ANY) ||
	    bpf_obj_pin(fd, path)) {
		err = -errno;
		rmdir(dp->path); /* if there is nothing in it */
		return fail(err, "cannot make %s: %s", path, reason(err));
	}
	return open_control(dp);
}

int map_sized(const char *path, size_t wanted, void **memory, size_t *count)
{
	size_t size;
	int err = pin_map(path, memory, &size, count);

	if (!err && size != wanted)
		err = -EPROTO;
	return err;
}

int datapath_refused_flows(const struct datapath *dp, __u64 *refused)
{
	struct flow_set *sets;
	char path[PATH_MAX];
	size_t count;
	int err;

	*refused = 0;
	pin_path(dp, NULL, "flows", path);
	err = map_sized(path, sizeof(*sets), (void **)&sets, &count);
	if (err == -ENOENT) /* nothing was ever attached */
		return 0;
	if (err)
		return fail(err, "cannot read %s: %s", path, reason(err));
	for (size_t i = 0; i < count; i++)
		*refused += sets[i].refused;
	unmap(sets, count * sizeof(*sets));
	return 0;
}

/* One of several where the hardware runs another's. */
static bool runs(const struct bpf_xdp_query_opts *query, __u32 program)
{
	return query->prog_id == program || query->drv_prog_id == program ||
	       query->skb_prog_id == program;
}

/* Which device the pinned link holds the program on: 0 once it is gone. */
static int open_link(struct interface *iface, const char *path)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_link_info info = { 0 };
	__u32 length = sizeof(info);
	cleanup_close int fd = bpf_obj_get(path);
	struct stat made;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) || stat(path, &made))
		return -errno;
	iface->attached_at = made.st_ctime;
	iface->mode = "gone";
	/*
	 * A device that was moved to another network namespace is not here either, and
	 * another one may have its number.
	 */
	if (!info.xdp.ifindex || bpf_xdp_query(info.xdp.ifindex, 0, &query) ||
	    !runs(&query, info.prog_id) || !if_indextoname(info.xdp.ifindex, iface->device))
		return 0;
	iface->ifindex = info.xdp.ifindex;
	iface->mode = query.attach_mode == XDP_ATTACHED_SKB  ? "generic"
		      : query.attach_mode == XDP_ATTACHED_HW ? "offload"
							     : "native";
	return 0;
}

void interface_close(struct interface *iface)
{
	unmap(iface->table, sizeof(struct tables));
	interface_unmap_counters(iface);
	*iface = (struct interface){ 0 };
}

int interface_open(const struct datapath *dp, const char *name, struct interface *iface)
{
	char path[PATH_MAX];
	int err;

	*iface = (struct interface){ 0 };
	strncpy(iface->name, name, IFNAMSIZ - 1);
	strcpy(iface->device, iface->name);
	pin_path(dp, name, "link", path);
	err = open_link(iface, path);
	pin_path(dp, name, "table", path);
	if (!err)
		err = map_sized(path, sizeof(struct tables), (void **)&iface->table, NULL);
	if (!err)
		iface->sampling = &((struct tables *)iface->table)->sampling;
	pin_path(dp, name, "cpu_counters", path);
	if (!err)
		err = map_sized(path, sizeof(*iface->cpu_counters), NULL, &iface->cpus);
	if (err)
		interface_close(iface);
	return err;
}

static int compare_interfaces(const void *left, const void *right)
{
	return strcmp(((const struct interface *)left)->name,
		      ((const struct interface *)right)->name);
}

bool interface_folder(const struct dirent *entry, char name[IFNAMSIZ])
{
	if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
	    strlen(entry->d_name) >= IFNAMSIZ)
		return false;
	strcpy(name, entry->d_name);
	swap_characters(name, ':', '.');
	return true;
}

/*
 * A folder without a link is what an attach or a detach that was killed leaves
 * behind. It filters nothing.
 */
static int open_interfaces(struct datapath *dp)
{
	DIR *folder = opendir(dp->path);
	struct dirent *entry;
	int err = folder ? 0 : -errno;

	while (!err && (entry = readdir(folder))) {
		struct interface iface;
		char name[IFNAMSIZ];

		if (!interface_folder(entry, name))
			continue;
		err = interface_open(dp, name, &iface);
		if (err == -ENOENT) {
			err = 0;
			continue;
		}
		if (!err)
			err = array_reserve(&dp->interfaces, &dp->room, dp->count,
					    sizeof(iface));
		if (!err)
			dp->interfaces[dp->count++] = iface;
	}
	if (folder)
		closedir(folder);
	if (err)
		return fail(err, "cannot read %s: %s", dp->path, reason(err));
	if (dp->count)
		qsort(dp->interfaces, dp->count, sizeof(*dp->interfaces), compare_interfaces);
	return 0;
}

int datapath_open(struct datapath *dp, enum datapath_access access)
{
	const char *root = env_or("PORTCTL_BPFFS", "/sys/fs/bpf/portctl");
	__u64 cookie;
	int err;

	*dp = (struct datapath){ .lock = -1 };
	libbpf_set_print(NULL); /* what fails is said here, in one line */
	if (strlen(root) > sizeof(dp->path) - 32)
		return fail(-ENAMETOOLONG, "PORTCTL_BPFFS is too long");
	err = namespace_cookie(&cookie);
	if (err)
		return err;
	snprintf(dp->path, sizeof(dp->path), "%s/%llx", root, (unsigned long long)cookie);
	err = check_bpffs(root)
		      ?: folder_check(dp->path) ?: take_turn(dp, access) ?: open_control(dp);
	if (!err && dp->control) /* one store, whoever else is there */
		dp->control->tai_offset = tai_offset();
	if (!err && dp->control)
		err = open_interfaces(dp);
	return err;
}

void datapath_unlock(struct datapath *dp)
{
	if (dp->lock < 0)
		return;
	flock(dp->lock, LOCK_UN); /* a child has it open as well, for a moment */
	close(dp->lock);
	dp->lock = -1;
}

void datapath_close(struct datapath *dp)
{
	for (size_t i = 0; i < dp->count; i++)
		interface_close(&dp->interfaces[i]);
	free(dp->interfaces);
	unmap(dp->control, sizeof(*dp->control));
	datapath_unlock(dp);
	*dp = (struct datapath){ .lock = -1 };
}

struct interface *datapath_interface(const struct datapath *dp, const char *name)
{
	for (size_t i = 0; i < dp->count; i++) {
		if (!strcmp(dp->interfaces[i].name, name))
			return &dp->interfaces[i];
	}
	return NULL;
}

struct interface *datapath_device(const struct datapath *dp, const char *device)
{
	for (size_t i = 0; i < dp->count; i++) {
		if (!strcmp(dp->interfaces[i].device, device) &&
		    !interface_gone(&dp->interfaces[i]))
			return &dp->interfaces[i];
	}
	return NULL;
}

bool interface_gone(const struct interface *iface)
{
	return !strcmp(iface->mode, "gone");
}

const struct interface *datapath_first(const struct datapath *dp)
{
	for (size_t i = 0; i < dp->count; i++) {
		if (!interface_gone(&dp->interfaces[i]))
			return &dp->interfaces[i];
	}
	return dp->count ? &dp->interfaces[0] : NULL;
}

bool interface_renamed(const struct interface *iface)
{
	return strcmp(iface->name, iface->device);
}
