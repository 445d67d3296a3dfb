// SPDX-License-Identifier: GPL-2.0-only
/* Opening the data path: the lock, the folders, the pins, and the memory behind them. */
#include "kernel/datapath.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/folder.h"
#include "base/log.h"
#include "host/netns.h"
#include "kernel/datapath_internal.h"
#include "kernel/needs.h"
#include "kernel/pins.h"
#include "portctl/flow.h"

/* The nearest folder that exists: `path`, or one above it. */
static void existing_folder(const char *path, char folder[PATH_MAX])
{
	snprintf(folder, PATH_MAX, "%s", path);
	while (access(folder, F_OK) && errno == ENOENT && strrchr(folder, '/') > folder)
		*strrchr(folder, '/') = 0;
}

static int check_file_system(const char *path)
{
	char folder[PATH_MAX];
	struct statfs fs;

	existing_folder(path, folder);
	if (statfs(folder, &fs))
		return fail(-errno, "%s: %s", folder, datapath_reason(-errno));
	if (fs.f_type != BPF_FS_MAGIC)
		return fail(-ENODEV,
			    "%s is not on a BPF file system, where the filter is kept: "
			    "mount -t bpf -o mode=700 bpf /sys/fs/bpf",
			    path);
	return 0;
}

static int take_lock(struct datapath *dp, enum datapath_access access)
{
	const char *folder = run_folder();
	char path[PATH_MAX];
	int err = folder_check(folder);

	if (err)
		return err;
	if (mkdir(folder, 0700) && errno != EEXIST)
		return fail(-errno, "cannot make %s: %s", folder, datapath_reason(-errno));
	err = run_path("lock", path);
	if (err)
		return err;
	dp->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (dp->lock < 0)
		return fail(-errno, "cannot open %s: %s", path, datapath_reason(-errno));
	while (flock(dp->lock, access == DATAPATH_WRITE ? LOCK_EX : LOCK_SH)) {
		if (errno != EINTR)
			return fail(-errno, "cannot lock %s: %s", path,
				    datapath_reason(-errno));
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
		return fail(err, "cannot open %s: %s", path, datapath_reason(err));
	if (size < sizeof(*dp->control) || dp->control->schema != PORTCTL_SCHEMA)
		return fail(-EPROTO,
			    "%s was made by another version of portctl (schema %u, not %u): "
			    "detach with that version, or rm -r %s to stop filtering",
			    dp->path, dp->control->schema, PORTCTL_SCHEMA, dp->path);
	return 0;
}

/* Makes a folder and those above it. Only their owner may use the folders that it makes. */
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

static int create_control(const char *path)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	struct control control = { .schema = PORTCTL_SCHEMA, .created = utc_now() };
	cleanup_close int fd = -1;
	__u32 zero = 0;

	if (getrandom(control.secret, sizeof(control.secret), 0) < 0)
		return -errno;
	control.tai_offset = tai_offset();
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "control", sizeof(zero), sizeof(control), 1,
			    &opts);
	if (fd < 0 || bpf_map_update_elem(fd, &zero, &control, BPF_ANY) ||
	    bpf_obj_pin(fd, path))
		return -errno;
	return 0;
}

int datapath_create(struct datapath *dp)
{
	char path[PATH_MAX];
	int err;

	if (dp->control)
		return 0;
	err = make_folders(dp->path);
	if (err)
		return fail(err, "cannot make %s: %s", dp->path, datapath_reason(err));
	err = folder_check(dp->path); /* another user may have made it meanwhile */
	if (err)
		return err;
	pin_path(dp, NULL, "control", path);
	err = create_control(path);
	if (err) {
		rmdir(dp->path); /* fails if it has something in it */
		return fail(err, "cannot make %s: %s", path, datapath_reason(err));
	}
	return open_control(dp);
}

int datapath_refused_flows(const struct datapath *dp, __u64 *refused)
{
	struct flow_set *sets;
	size_t count;
	int err = pin_map_shared(dp, "flows", sizeof(*sets), (void **)&sets, &count);

	*refused = 0;
	if (err)
		return fail(err, "cannot read %s/flows: %s", dp->path, datapath_reason(err));
	for (size_t i = 0; i < count; i++)
		*refused += sets[i].refused;
	pin_unmap(sets, count * sizeof(*sets));
	return 0;
}

/* A device can have several programs: one of the driver, and one that the hardware runs. */
static bool has_program(const struct bpf_xdp_query_opts *query, __u32 program)
{
	return query->prog_id == program || query->drv_prog_id == program ||
	       query->skb_prog_id == program;
}

/* Finds the device that the pinned link attaches to, if it still exists. */
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
	 * A device that moved to another network namespace is not here either, and another
	 * device may have its index here: check that the program is on the device.
	 */
	if (!info.xdp.ifindex || bpf_xdp_query(info.xdp.ifindex, 0, &query) ||
	    !has_program(&query, info.prog_id) ||
	    !if_indextoname(info.xdp.ifindex, iface->device))
		return 0;
	iface->ifindex = info.xdp.ifindex;
	iface->mode = query.attach_mode == XDP_ATTACHED_SKB  ? "generic"
		      : query.attach_mode == XDP_ATTACHED_HW ? "offload"
							     : "native";
	return 0;
}

void interface_close(struct interface *iface)
{
	pin_unmap(iface->table, sizeof(struct tables));
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
		err = pin_map_sized(path, sizeof(struct tables), (void **)&iface->table, NULL);
	if (!err)
		iface->sampling = &((struct tables *)iface->table)->sampling;
	pin_path(dp, name, "cpu_counters", path);
	if (!err)
		err = pin_map_sized(path, sizeof(*iface->cpu_counters), NULL, &iface->cpus);
	if (err)
		interface_close(iface);
	return err;
}

static int compare_interfaces(const void *left, const void *right)
{
	return strcmp(((const struct interface *)left)->name,
		      ((const struct interface *)right)->name);
}

/* Opens an interface and appends it. A folder without a link filters nothing: it is skipped. */
static int append_interface(struct datapath *dp, const char *name)
{
	struct interface iface;
	int err = interface_open(dp, name, &iface);

	if (err == -ENOENT) /* an attach or a detach was killed */
		return 0;
	if (err)
		return err;
	err = array_reserve(&dp->interfaces, &dp->room, dp->count, sizeof(iface));
	if (err)
		interface_close(&iface);
	else
		dp->interfaces[dp->count++] = iface;
	return err;
}

static int open_interfaces(struct datapath *dp)
{
	cleanup_dir DIR *folder = opendir(dp->path);
	struct dirent *entry;
	int err = folder ? 0 : -errno;

	while (!err && (entry = readdir(folder))) {
		char name[IFNAMSIZ];

		if (pin_folder_interface(entry, name))
			err = append_interface(dp, name);
	}
	if (err)
		return fail(err, "cannot read %s: %s", dp->path, datapath_reason(err));
	if (dp->count)
		qsort(dp->interfaces, dp->count, sizeof(*dp->interfaces), compare_interfaces);
	return 0;
}

int datapath_open(struct datapath *dp, enum datapath_access access)
{
	const char *root = env_or("PORTCTL_BPFFS", "/sys/fs/bpf/portctl");
	__u64 cookie;
	int err;

	*dp = DATAPATH_CLOSED;
	libbpf_set_print(debug_print); /* failures are reported here, in one line each */
	if (strlen(root) > sizeof(dp->path) - 32)
		return fail(-ENAMETOOLONG, "PORTCTL_BPFFS is too long");
	err = netns_cookie(&cookie);
	if (err)
		return err;
	snprintf(dp->path, sizeof(dp->path), "%s/%llx", root, (unsigned long long)cookie);
	err = check_file_system(root)
		      ?: folder_check(dp->path) ?: take_lock(dp, access) ?: open_control(dp);
	if (!err && dp->control) /* one store: safe beside other readers and the programs */
		dp->control->tai_offset = tai_offset();
	if (!err && dp->control)
		err = open_interfaces(dp);
	return err;
}

void datapath_unlock(struct datapath *dp)
{
	if (dp->lock < 0)
		return;
	/* A child that was just forked may have it open for a moment: close() is not enough. */
	flock(dp->lock, LOCK_UN);
	close(dp->lock);
	dp->lock = -1;
}

void datapath_close(struct datapath *dp)
{
	for (size_t i = 0; i < dp->count; i++)
		interface_close(&dp->interfaces[i]);
	free(dp->interfaces);
	pin_unmap(dp->control, sizeof(*dp->control));
	datapath_unlock(dp);
	*dp = DATAPATH_CLOSED;
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
