// SPDX-License-Identifier: GPL-2.0-only
/* Attaching and detaching: the program, its maps, its link, and their pins. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/datapath_internal.h"
#include "kernel/datapath_load.h"
#include "kernel/needs.h"
#include "kernel/pins.h"

/* What is being attached. Functions that take an attachment print what failed. */
struct attachment {
	struct datapath *dp;
	const char *name; /* the interface's, for rules and pins */
	const char *device; /* what the device is called now */
	unsigned int ifindex;
	bool replace;
	struct portctl_bpf *program;
};

/* Pins of the namespace beside the maps in pinned_maps. */
static const char *const rule_pins[] = { "ruleset0", "ruleset1", "ruleset0_next",
					 "ruleset1_next", "way_back" };

/*
 * Refuses names with control characters, and names of pins: the folders of interfaces are in
 * the same folder as the pins.
 */
static int check_name(const char *name)
{
	bool taken = false;

	if (text_has_controls(name))
		return fail(-EINVAL,
			    "cannot attach to an interface called %s: its name has control "
			    "characters; rename it (\"ip link set ... name ...\")",
			    name);
	for (size_t i = 0; i < ARRAY_SIZE(rule_pins); i++)
		taken |= !strcmp(name, rule_pins[i]);
	for (size_t i = 0; i < pinned_map_count; i++)
		taken |= pinned_maps[i].shared && !strcmp(name, pinned_maps[i].pin);
	return taken ? fail(-EINVAL,
			    "cannot attach to an interface called %s: portctl keeps a file of "
			    "that name; rename it (\"ip link set %s name ...\")",
			    name, name)
		     : 0;
}

static int check_device(const char *name, unsigned int *ifindex)
{
	struct ifreq request = { 0 };
	char device[IFNAMSIZ];
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*ifindex = strlen(name) < IFNAMSIZ ? if_nametoindex(name) : 0;
	if (!*ifindex)
		return fail(-ENODEV,
			    "there is no interface %s here: \"ip link\" lists the interfaces",
			    name);
	if (if_indextoname(*ifindex, device) && strcmp(device, name))
		return fail(-EINVAL, "%s is another name of %s: attach to %s", name, device,
			    device);
	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		return fail(-errno, "%s: %s", name, datapath_reason(-errno));
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
	    request.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)
		return fail(-EOPNOTSUPP,
			    "%s is not an Ethernet interface (its packets have no Ethernet "
			    "header): attach to the device below it",
			    name);
	return 0;
}

static int check_release(void)
{
	struct utsname kernel;
	unsigned int major = 0, minor = 0;

	if (!uname(&kernel) && sscanf(kernel.release, "%u.%u", &major, &minor) == 2 &&
	    (major < 6 || (major == 6 && minor < 1)))
		return fail(-ENOSYS,
			    "Linux %s is too old: 6.1 or newer is needed (the time of day in "
			    "programs)",
			    kernel.release);
	return 0;
}

static int fill_slot(const struct attachment *attachment, unsigned int slot)
{
	struct slot_maps maps =
		slot_maps_of(attachment->program, attachment->dp, attachment->name);
	cleanup_ruleset struct ruleset ruleset;
	int err;

	ruleset_init(&ruleset);
	err = stored_load(attachment->dp, slot, &ruleset);
	if (!err)
		err = slot_fill(&maps, attachment->name, attachment->program->bss->table, slot,
				&ruleset);
	if (!err && !attachment->dp->count) /* else the first interface filled the signers */
		signers_fill(attachment->dp, slot, &ruleset);
	return err;
}

/*
 * Both slots must judge as they do on the other interfaces: the active one because the next
 * packet needs it, the other one because a rollback can make it active.
 */
static int fill_slots(const struct attachment *attachment)
{
	int err = fill_slot(attachment, 0) ?: fill_slot(attachment, 1);

	return err ? fail(err, "%s: %s", attachment->name, datapath_reason(err)) : 0;
}

/* Pins a descriptor, unless the pin exists. */
static int pin_one(const struct attachment *attachment, const char *iface, int fd,
		   const char *pin)
{
	char path[PATH_MAX];

	pin_path(attachment->dp, iface, pin, path);
	if (bpf_obj_pin(fd, path) && errno != EEXIST)
		return fail(-errno, "cannot pin %s: %s", path, datapath_reason(-errno));
	return 0;
}

static int pin_maps(const struct attachment *attachment)
{
	const char *name = attachment->name;
	char folder[PATH_MAX];
	int err = 0;

	pin_path(attachment->dp, name, "", folder);
	if (mkdir(folder, 0700) && errno != EEXIST)
		return fail(-errno, "cannot make %s: %s", folder, datapath_reason(-errno));
	for (size_t i = 0; i < pinned_map_count && !err; i++)
		err = pin_one(attachment, pinned_maps[i].shared ? NULL : name,
			      bpf_map__fd(pinned_map_of(attachment->program, i)),
			      pinned_maps[i].pin);
	return err;
}

/* Attaches the program to the device, and pins its link. */
static int attach_link(const struct attachment *attachment, enum attach_mode mode)
{
	char path[PATH_MAX];
	int program = bpf_program__fd(attachment->program->progs.portctl);
	cleanup_close int fd = hook_xdp(attachment->name, attachment->ifindex, program, mode,
					attachment->replace);

	if (fd < 0)
		return fd;
	pin_path(attachment->dp, attachment->name, "link", path);
	unlink(path); /* of a device that is gone */
	return pin_one(attachment, attachment->name, fd, "link");
}

static int attach_egress(const struct attachment *attachment)
{
	return hook_egress(attachment->device, attachment->ifindex,
			   bpf_program__fd(attachment->program->progs.egress));
}

static int update_link(const struct attachment *attachment)
{
	cleanup_close int fd = pin_open(attachment->dp, attachment->name, "link");

	if (fd < 0 ||
	    bpf_link_update(fd, bpf_program__fd(attachment->program->progs.portctl), NULL))
		return fail(-errno, "cannot replace the program on %s: %s", attachment->name,
			    datapath_reason(-errno));
	return 0;
}

static int check_attached_mode(const struct interface *present, enum attach_mode mode)
{
	if ((mode == ATTACH_NATIVE && !strcmp(present->mode, "generic")) ||
	    (mode == ATTACH_GENERIC && strcmp(present->mode, "generic")))
		return fail(-EBUSY, "%s is attached in %s mode: detach it first to change that",
			    present->name, present->mode);
	return 0;
}

static int attach_prepared(struct attachment *attachment, const struct interface *present,
			   enum attach_mode mode)
{
	int err = program_load(attachment->dp, attachment->name, PURPOSE_FILTER,
			       &attachment->program);

	if (!err && present)
		return attach_egress(attachment) ?: update_link(attachment);
	if (!err)
		err = pin_maps(attachment);
	if (!err)
		err = fill_slots(attachment);
	if (!err)
		err = attach_egress(attachment);
	return err ?: attach_link(attachment, mode);
}

/* Removes the maps of an interface, or (`name` NULL) the shared ones except "control". */
static int remove_maps(const struct datapath *dp, const char *name)
{
	int err = 0;

	for (size_t i = 0; name && i < SLOT_PINS && !err; i++)
		err = pin_remove(dp, name, slot_pins[i]);
	for (size_t i = pinned_map_count; --i > 0 && !err;) {
		if (pinned_maps[i].shared == !name)
			err = pin_remove(dp, name, pinned_maps[i].pin);
	}
	return err;
}

/*
 * The kernel drops the last pin of a link in the background, but a descriptor at once. With one
 * open until the end of this function, the device is free when it returns.
 */
static int remove_link(const struct datapath *dp, const char *name)
{
	cleanup_close int fd = pin_open(dp, name, "link");

	(void)fd;
	return pin_remove(dp, name, "link");
}

/*
 * Removes everything of an interface except its folder: as long as the folder exists, a detach
 * that was killed can be finished. The link goes first, so that nothing is filtered with half
 * of the maps.
 */
static int empty_interface(const struct datapath *dp, const char *name, unsigned int ifindex)
{
	return remove_link(dp, name)		     ?:
	       hook_remove_egress(name, ifindex) ?:
	       remove_maps(dp, name);
}

static int remove_interface(const struct datapath *dp, const char *name, unsigned int ifindex)
{
	return empty_interface(dp, name, ifindex) ?: pin_remove(dp, name, "");
}

static bool has_folder(const struct datapath *dp, const char *name)
{
	char path[PATH_MAX];
	struct stat folder;

	if (!*name || strchr(name, '/') || strlen(name) >= IFNAMSIZ)
		return false;
	pin_path(dp, name, "", path);
	return !stat(path, &folder) && S_ISDIR(folder.st_mode);
}

static int each_folder(const struct datapath *dp,
		       int (*call)(const struct datapath *dp, const char *name))
{
	cleanup_dir DIR *folder = opendir(dp->path);
	struct dirent *entry;
	int err = 0;

	while (folder && !err && (entry = readdir(folder))) {
		char name[IFNAMSIZ];

		if (pin_folder_interface(entry, name))
			err = call(dp, name);
	}
	return err;
}

static int empty_folder(const struct datapath *dp, const char *name)
{
	return empty_interface(dp, name, if_nametoindex(name));
}

static int remove_folder(const struct datapath *dp, const char *name)
{
	return pin_remove(dp, name, "");
}

int datapath_remove(struct datapath *dp)
{
	int err = each_folder(dp, empty_folder);

	for (size_t i = 0; i < ARRAY_SIZE(rule_pins) && !err; i++)
		err = pin_remove(dp, NULL, rule_pins[i]);
	err = err		      ?:
	      remove_maps(dp, NULL) ?:
	      pin_remove(dp, NULL, pinned_maps[0].pin) ?:
	      each_folder(dp, remove_folder) ?:
	      pin_remove(dp, NULL, "");
	if (err)
		return err;
	pin_unmap(dp->control, sizeof(*dp->control));
	dp->control = NULL;
	return 0;
}

/* Adds an interface that was attached to the list, or opens it again if it is listed. */
static int add_interface(struct datapath *dp, const char *name)
{
	struct interface *slot = datapath_interface(dp, name);
	int err = 0;

	if (!slot)
		err = array_reserve(&dp->interfaces, &dp->room, dp->count, sizeof(*slot));
	if (!slot && !err)
		slot = &dp->interfaces[dp->count++];
	else if (slot)
		interface_close(slot);
	err = err ?: interface_open(dp, name, slot);
	return err ? fail(err, "%s is attached, but cannot be read: %s", name,
			  datapath_reason(err))
		   : 0;
}

/*
 * Devices may have been renamed since they were attached. Refuses to attach a device twice, and
 * to attach a device that has the former name of another: it would take the other's pins. The
 * other device may have kept its former name as an alternative name.
 */
static int check_renamed(const struct datapath *dp, const char *name,
			 const struct interface *known)
{
	const struct interface *now = datapath_device(dp, name);
	unsigned int ifindex = if_nametoindex(name);

	if (!now && known && interface_renamed(known) && ifindex && ifindex != known->ifindex)
		now = known;
	else if (!now || !interface_renamed(now))
		return 0;
	return fail(-EBUSY,
		    "%s is attached under its former name %s: to use the new name, run "
		    "\"portctl save\", \"portctl detach %s\" and \"portctl restore\"",
		    now->device, now->name, now->name);
}

/* Removes what a new attachment has made, and what is left of an earlier one. */
static void undo_attach(struct datapath *dp, const struct attachment *attachment)
{
	if (has_folder(dp, attachment->name))
		remove_interface(dp, attachment->name, attachment->ifindex);
	if (dp->count || !dp->control)
		return;
	if (dp->control->generation) /* there are rules, which stay */
		remove_maps(dp, NULL);
	else
		datapath_remove(dp);
}

static int attach_interface(struct datapath *dp, const char *name, enum attach_mode mode,
			    bool replace)
{
	struct attachment attachment = { .dp = dp, .name = name, .replace = replace };
	struct interface *known = datapath_interface(dp, name), *present = known;
	int err;

	attachment.device = known ? known->device : name;
	err = check_device(attachment.device, &attachment.ifindex);
	if (err)
		return err;
	if (present && (present->ifindex != attachment.ifindex || interface_gone(present)))
		present = NULL; /* the device was deleted and made again */
	if (present)
		err = check_attached_mode(present, mode);
	else if (!replace)
		err = hook_check_free(name, attachment.ifindex);
	if (err)
		return err;
	if (!known && has_folder(dp, name)) /* its counters belong to other rules */
		err = remove_interface(dp, name, attachment.ifindex);
	if (!err)
		err = datapath_create(dp);
	if (!err)
		err = attach_prepared(&attachment, present, mode);
	portctl_bpf__destroy(attachment.program);
	if (!err)
		return add_interface(dp, name);
	if (!known)
		undo_attach(dp, &attachment);
	else if (!present)
		hook_remove_egress(name, attachment.ifindex);
	return err;
}

int datapath_attach(struct datapath *dp, const char *name, enum attach_mode mode, bool replace)
{
	return check_release()	     ?:
	       check_name(name)		     ?:
	       check_renamed(dp, name, datapath_interface(dp, name)) ?:
	       attach_interface(dp, name, mode, replace);
}

int datapath_update(struct datapath *dp, const struct interface *iface, enum attach_mode mode)
{
	char name[IFNAMSIZ];

	strcpy(name, iface->name); /* iface->name changes when the interface is opened again */
	return attach_interface(dp, name, mode, false);
}

int datapath_detach(struct datapath *dp, const char *name)
{
	struct interface *iface = datapath_interface(dp, name);
	size_t others = dp->count - !!iface;
	int err;

	if (!iface && !has_folder(dp, name))
		return fail(-ENOENT,
			    "portctl is not attached to %s: \"portctl status\" lists "
			    "where it is",
			    name);
	err = empty_interface(dp, name, iface ? iface->ifindex : if_nametoindex(name));
	if (!err && others)
		err = remove_folder(dp, name);
	if (err)
		return err;
	if (iface) {
		interface_close(iface);
		*iface = dp->interfaces[--dp->count];
	}
	return others ? 0 : datapath_remove(dp);
}
