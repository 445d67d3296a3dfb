// SPDX-License-Identifier: GPL-2.0-only
/*
 * restore: apply the saved rules and attach the saved interfaces, after a boot or when an
 * interface appears. It only adds: it does not replace rules that are running, and ending it
 * detaches nothing. It does not undo what others did: an interface that was there all along
 * and is not attached may have been detached on purpose.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/rules_file.h"
#include "host/arrivals.h"
#include "host/way_in.h"
#include "kernel/datapath_rules.h"
#include "state/saved.h"

struct restore {
	bool follow;
};

#define CLOCK_SECONDS 10 /* between two looks at the clock */

/* What is kept from one look to the next. */
struct restorer {
	struct arrivals seen;
	__u64 tai_offset;
	bool ran; /* rules were running or an interface was attached */
	bool unclear; /* the list of interfaces has lines that are wrong */
};

/*
 * Whether there are rules or an attached interface. What a killed restore left behind does not
 * count.
 */
static bool is_running(const struct datapath *dp)
{
	return dp->control && (dp->control->generation || dp->count);
}

static int restore_rules(struct datapath *dp)
{
	cleanup_ruleset struct ruleset saved;
	int err;

	ruleset_init(&saved);
	if (is_running(dp))
		return 0;
	err = rules_file_read(saved_path(), &saved) ?: datapath_commit(dp, &saved, 0);
	if (!err)
		printf("%zu rule%s applied, default %s\n", saved.count,
		       saved.count == 1 ? "" : "s", action_name(saved.fallback));
	return err;
}

/* Also finds a renamed device that has the saved name as an alternative name (altname). */
static const struct interface *restore_find_attached(const struct datapath *dp,
						     const char *name)
{
	const struct interface *iface = datapath_device(dp, name);

	if (iface)
		return iface;
	iface = datapath_interface(dp, name);
	return iface && !interface_gone(iface) && iface->ifindex == if_nametoindex(name) ? iface
											 : NULL;
}

/*
 * A device that was moved to another network namespace and back still has the XDP program, but
 * not the TC program that reads the packets that leave.
 */
static int restore_attached(struct datapath *dp, const struct interface *iface)
{
	int err;

	if (interface_watched(iface))
		return 0;
	err = datapath_update(dp, iface, ATTACH_AUTO);
	if (!err)
		printf("%s: program replaced, %s mode\n", iface->name, iface->mode);
	return err;
}

/* An interface that is missing is not an error: it may appear later. */
static int restore_interface(struct datapath *dp, const char *name, enum attach_mode mode)
{
	const struct interface *attached = restore_find_attached(dp, name);
	int err;

	if (attached)
		return restore_attached(dp, attached);
	if (!if_nametoindex(name))
		return 0;
	err = datapath_attach(dp, name, mode, false);
	if (!err)
		printf("%s: attached, %s mode\n", name, datapath_interface(dp, name)->mode);
	return err;
}

/* Tries all interfaces, even after a failure. */
static int restore_level(struct datapath *dp, struct arrivals *arrivals,
			 const struct devices *devices, unsigned int level)
{
	int failed = 0;

	for (size_t i = 0; i < arrivals->count; i++) {
		struct sighting *sighting = &arrivals->list[i];
		int err;

		if (!sighting->due || device_level(devices, sighting->ifindex) != level)
			continue;
		err = restore_interface(dp, sighting->name,
					sighting->generic ? ATTACH_GENERIC : ATTACH_AUTO);
		sighting->due = err;
		failed = failed ?: err;
	}
	return failed;
}

/*
 * The kernel refuses an XDP program on a device below one that has a program, so the lowest
 * devices go first. If the kernel does not list its devices, all have the same level.
 */
static int restore_interfaces(struct datapath *dp, struct arrivals *arrivals)
{
	struct devices devices;
	int failed = 0;

	devices_list(&devices);
	for (unsigned int level = 0; level <= DEVICE_LEVELS; level++)
		failed = restore_level(dp, arrivals, &devices, level) ?: failed;
	devices_clear(&devices);
	return failed;
}

/* The modes of "attach", and those that "save" can find besides. */
static bool is_mode(const char *text)
{
	static const char *const modes[] = { "auto", "native", "generic", "offload", "gone" };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(text, modes[i]))
			return true;
	}
	return false;
}

/*
 * Parses "NAME MODE"; a name alone has mode auto. Returns 0, -EINVAL, or -ENOENT for an empty
 * line.
 */
static int parse_saved(const char *line, struct sighting *sighting)
{
	char name[IFNAMSIZ + 1], mode[IFNAMSIZ + 1] = "auto", more;
	int words = sscanf(line, "%16s %16s %c", name, mode, &more);

	if (words < 1)
		return -ENOENT;
	if (words > 2 || strlen(name) >= IFNAMSIZ || !is_mode(mode))
		return -EINVAL;
	*sighting = (struct sighting){ .saved = true, .generic = !strcmp(mode, "generic") };
	strcpy(sighting->name, name);
	sighting->ifindex = if_nametoindex(name);
	return 0;
}

static void fail_line(unsigned int row, char *line)
{
	text_clean(line);
	fail(0,
	     "%s:%u: found \"%.64s\", expected the name of an interface, and auto, native or "
	     "generic",
	     saved_interfaces_path(), row, line);
}

/* Takes the saved interfaces. Skips wrong lines, and reports them only at the first look. */
static int see_saved(struct restorer *restorer, struct arrivals *arrivals, char *rest,
		     bool first)
{
	unsigned int row = 0;
	char *line;
	int err = 0;

	restorer->unclear = false;
	while (!err && (line = strsep(&rest, "\n"))) {
		struct sighting sighting;
		int wrong = parse_saved(line, &sighting);

		row++;
		if (!wrong)
			err = arrivals_add(arrivals, &sighting);
		else if (wrong == -EINVAL && first)
			fail_line(row, line);
		restorer->unclear |= wrong == -EINVAL;
	}
	return err;
}

static int see_others(struct arrivals *arrivals)
{
	struct if_nameindex *devices = if_nameindex();
	int err = devices ? 0 : -errno;

	for (size_t i = 0; !err && devices[i].if_index; i++) {
		struct sighting sighting = { .ifindex = devices[i].if_index };

		snprintf(sighting.name, sizeof(sighting.name), "%s", devices[i].if_name);
		err = arrivals_add(arrivals, &sighting);
	}
	if (devices)
		if_freenameindex(devices);
	return err;
}

/* Compares the devices with those of the last look. A failure changes nothing. */
static int restore_look(struct restorer *restorer, char *saved, bool first)
{
	struct arrivals now = { 0 };
	int err = see_saved(restorer, &now, saved, first) ?: see_others(&now);

	if (err) {
		arrivals_clear(&now);
		return fail(err, "cannot list the interfaces: %s", strerror(-err));
	}
	arrivals_compare(&now, &restorer->seen);
	arrivals_clear(&restorer->seen);
	restorer->seen = now;
	return 0;
}

static int restore_due(struct restorer *restorer, struct datapath *dp, bool first)
{
	int err = 0;

	/* If all was detached on purpose, do not attach what could not be attached before. */
	if (restorer->ran && !is_running(dp))
		arrivals_give_up(&restorer->seen);
	if (first || arrivals_due(&restorer->seen))
		err = restore_rules(dp) ?: restore_interfaces(dp, &restorer->seen);
	restorer->ran = is_running(dp);
	return err;
}

static int restore_locked(struct restorer *restorer, bool first)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;

	return datapath_open(&dp, DATAPATH_WRITE) ?: restore_due(restorer, &dp, first);
}

static int look_and_restore(struct restorer *restorer, bool first)
{
	const char *path = saved_interfaces_path();
	cleanup_free char *saved = NULL;
	size_t size;
	int unread = file_read(path, &saved, &size), err = 0;

	if (unread == -ENOENT && !first)
		unread = 0; /* reported at the first look */
	if (!unread || unread == -ENOENT)
		err = restore_look(restorer, saved, first);
	if (!err && (first || arrivals_due(&restorer->seen))) {
		err = restore_locked(restorer, first);
		fflush(stdout); /* once the lock is free: the reader may be slow */
	}
	if (!err && unread)
		err = fail(unread, "cannot read %s: %s; \"portctl save\" writes it", path,
			   strerror(-unread));
	return err ?: restorer->unclear ? -EINVAL : 0;
}

static int open_link_events(void)
{
	const struct timeval pause = { .tv_sec = CLOCK_SECONDS };
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof(pause)) &&
	    !bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	fail(-errno, "cannot watch for interfaces: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Reads one event of the kernel. Returns false if there is none (errno). */
static bool hear_event(int events, struct restorer *restorer, int flags)
{
	char buffer[16384];
	ssize_t size = recv(events, buffer, sizeof(buffer), flags);

	if (size > 0)
		arrivals_hear(&restorer->seen, buffer, size);
	return size >= 0;
}

/*
 * Signed knocks use TAI, and the data path must know its offset from UTC. The kernel learns the
 * offset from chronyd or ntpd some time after the boot, and sends no event then.
 */
static void update_clock(struct restorer *restorer)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;

	if (restorer->tai_offset == tai_offset())
		return;
	restorer->tai_offset = tai_offset();
	datapath_open(&dp, DATAPATH_READ); /* sets the offset */
}

/* Lost events (ENOBUFS) count as an event: the next look finds what they were about. */
static int wait_for_event(int events, struct restorer *restorer)
{
	while (!hear_event(events, restorer, 0)) {
		if (errno == ENOBUFS || errno == EINTR)
			return 0;
		if (errno != EAGAIN)
			return -errno;
		update_clock(restorer);
	}
	return 0;
}

static int follow(int events, struct restorer *restorer)
{
	int err;

	while (!(err = wait_for_event(events, restorer))) {
		while (hear_event(events, restorer, MSG_DONTWAIT))
			continue; /* the rest of a burst */
		look_and_restore(restorer, false);
	}
	return fail(err, "cannot watch for interfaces any more: %s", strerror(-err));
}

static const struct cli_option restore_options[] = {
	{ "follow", 'f', NULL,
	  "keep running, and attach saved interfaces when they appear or are made again, but not "
	  "interfaces that you detach meanwhile; ending the command detaches nothing",
	  CLI_FLAG(struct restore, follow) },
	{ 0 },
};

static int restore_run(const struct command *command, int argc, char **argv)
{
	struct restorer restorer = { 0 };
	struct restore restore = { 0 };
	cleanup_close int events = -1;
	int err, status = command_parse(command, &argc, argv, &restore);

	if (status)
		return status;
	if (restore.follow) {
		signal(SIGCHLD, SIG_IGN); /* no zombies of the children behind changes */
		/* Before the first look, so that no event is missed. */
		events = open_link_events();
		if (events < 0)
			return EXIT_REFUSED;
	}
	err = look_and_restore(&restorer, true);
	if (restore.follow)
		err = follow(events, &restorer);
	arrivals_clear(&restorer.seen);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_restore_entry = {
	.name = "restore",
	.arguments = "",
	.summary = "Apply the saved rules and attach the saved interfaces",
	.help = "Meant for the boot, so it does not check for open connections. Rules that run "
		"already stay as they are, and interfaces that are missing are skipped. If an "
		"interface has lost the filter that reads the packets that leave, its program "
		"is replaced, which brings the filter back.",
	.options = restore_options,
	.run = restore_run,
	.privileges = PRIVILEGES_CHANGE | PRIVILEGES_FILES,
};
