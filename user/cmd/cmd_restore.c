// SPDX-License-Identifier: GPL-2.0-only
/*
 * restore: what was saved is there again, after a boot or when an interface comes
 * that was not there. It only ever adds: a ruleset that runs already is left as
 * it is, and ending this command detaches nothing. Nor does it undo what others do:
 * an interface that was there all along may have been detached on purpose.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "host/arrivals.h"
#include "base/clock.h"
#include "cmd/command.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/datapath_rules.h"
#include "state/saved.h"
#include "host/way_in.h"

struct options {
	bool follow;
};

#define CLOCK_SECONDS 10 /* between two looks at the clock */

/* From one look to the next. */
struct restorer {
	struct arrivals seen;
	__u64 tai_offset;
	bool ran; /* there was a ruleset at the last look, or an interface attached */
	bool unclear; /* lines of the saved interfaces said nothing */
};

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "follow", no_argument, NULL, 'f' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "f", known, NULL)) != -1) {
		if (option != 'f')
			return -1;
		options->follow = true;
	}
	return optind == argc ? 0 : -1;
}

/* None ran yet where all there is was left by a restore that came to no end. */
static bool runs(const struct datapath *dp)
{
	return dp->control && (dp->control->generation || dp->count);
}

static int restore_rules(struct datapath *dp)
{
	struct ruleset saved;
	int err;

	if (runs(dp))
		return 0;
	ruleset_init(&saved);
	err = rules_file_read(saved_path(), &saved) ?: datapath_commit(dp, &saved, 0);
	if (!err)
		printf("%zu rule%s applied, default %s\n", saved.count,
		       saved.count == 1 ? "" : "s", action_name(saved.fallback));
	ruleset_clear(&saved);
	return err;
}

/* A name that was saved may be one that the device has kept beside its new one. */
static const struct interface *find_attached(const struct datapath *dp, const char *name)
{
	const struct interface *iface = datapath_device(dp, name);

	if (iface)
		return iface;
	iface = datapath_interface(dp, name);
	return iface && !interface_gone(iface) && iface->ifindex == if_nametoindex(name) ? iface
											 : NULL;
}

/*
 * A device that went to another network namespace and came back has the program that
 * judges still, but not the one that watches what leaves.
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

/* An interface that is not there any more is no failure: it may come again. */
static int restore_interface(struct datapath *dp, const char *name, enum attach_mode mode)
{
	const struct interface *attached = find_attached(dp, name);
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

/* One that cannot be attached does not keep the others from it. */
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
 * The kernel takes no program below a device that has one: what is below goes first. All
 * are at one level where the kernel does not say.
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

/* What attach takes, and what "save" may have found besides. */
static bool is_mode(const char *text)
{
	static const char *const modes[] = { "auto", "native", "generic", "offload", "gone" };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(text, modes[i]))
			return true;
	}
	return false;
}

/* "NAME MODE", or a name alone, which is auto. Returns 0, -ENOENT (nothing) or -EINVAL. */
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

/* A line that says nothing does not keep the others from it. It is told of once. */
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

/* After a failure what was seen is as it was, so that nothing is missed. */
static int look(struct restorer *restorer, char *saved, bool first)
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

static int restore_there(struct restorer *restorer, struct datapath *dp, bool first)
{
	int err = 0;

	/* Who has taken everything away meant what could not be attached as well. */
	if (restorer->ran && !runs(dp))
		arrivals_give_up(&restorer->seen);
	if (first || arrivals_due(&restorer->seen))
		err = restore_rules(dp) ?: restore_interfaces(dp, &restorer->seen);
	restorer->ran = runs(dp);
	return err;
}

static int restore(struct restorer *restorer, bool first)
{
	struct datapath dp;
	int err = datapath_open(&dp, DATAPATH_WRITE) ?: restore_there(restorer, &dp, first);

	datapath_close(&dp);
	fflush(stdout);
	return err;
}

static int look_and_restore(struct restorer *restorer, bool first)
{
	const char *path = saved_interfaces_path();
	cleanup_free char *saved = NULL;
	size_t size;
	int unread = file_read(path, &saved, &size), err = 0;

	if (unread == -ENOENT && !first)
		unread = 0; /* was said */
	if (!unread || unread == -ENOENT)
		err = look(restorer, saved, first);
	if (!err && (first || arrivals_due(&restorer->seen)))
		err = restore(restorer, first);
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

/* Reads an event, or more of the same burst without waiting. False where none is left. */
static bool hear_event(int events, struct restorer *restorer, int flags)
{
	char buffer[16384];
	ssize_t size = recv(events, buffer, sizeof(buffer), flags);

	if (size > 0)
		arrivals_hear(&restorer->seen, buffer, size);
	return size >= 0;
}

/*
 * Signed knocks go by TAI, of which the data path has to know how far it is from UTC. The
 * kernel learns that from chronyd or ntpd some time after the boot, and tells nobody.
 */
static void keep_clock(struct restorer *restorer)
{
	struct datapath dp;

	if (restorer->tai_offset == tai_offset())
		return;
	restorer->tai_offset = tai_offset();
	datapath_open(&dp, DATAPATH_READ); /* which sets it right */
	datapath_close(&dp);
}

/* Events that were lost (ENOBUFS) are an event too: a look finds what they would have told. */
static int wait_for_event(int events, struct restorer *restorer)
{
	while (!hear_event(events, restorer, 0)) {
		if (errno == ENOBUFS || errno == EINTR)
			return 0;
		if (errno != EAGAIN)
			return -errno;
		keep_clock(restorer);
	}
	return 0;
}

static int follow(int events, struct restorer *restorer)
{
	int err;

	while (!(err = wait_for_event(events, restorer))) {
		while (hear_event(events, restorer, MSG_DONTWAIT))
			continue;
		look_and_restore(restorer, false);
	}
	return fail(err, "cannot watch for interfaces any more: %s", strerror(-err));
}

int cmd_restore(const struct command *command, int argc, char **argv)
{
	struct restorer restorer = { 0 };
	struct options options = { 0 };
	cleanup_close int events = -1;
	int err;

	if (parse_options(argc, argv, &options))
		return command_usage(command);
	if (options.follow) { /* first, so that nothing falls in between */
		signal(SIGCHLD, SIG_IGN); /* who waits behind a change leaves no zombie */
		events = open_link_events();
		if (events < 0)
			return EXIT_REFUSED;
	}
	err = look_and_restore(&restorer, true);
	if (options.follow)
		err = follow(events, &restorer);
	arrivals_clear(&restorer.seen);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
