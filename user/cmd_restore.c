// SPDX-License-Identifier: GPL-2.0-only
/*
 * restore: what was saved is there again, after a boot or when an interface comes
 * that was not there. It only ever adds: a ruleset that runs already is left as
 * it is, and ending this command detaches nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "command.h"
#include "log.h"
#include "util.h"

struct options {
	bool follow;
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

static int restore_rules(struct datapath *dp)
{
	struct ruleset saved;
	int err;

	/* None ran yet where all there is was left by a restore that came to no end. */
	if (dp->control && (dp->control->generation || dp->count))
		return 0;
	ruleset_init(&saved);
	err = rules_read(saved_path(), &saved) ?: datapath_commit(dp, &saved, 0);
	if (!err)
		printf("%zu rule%s applied, default %s\n", saved.count,
		       saved.count == 1 ? "" : "s", action_name(saved.fallback));
	ruleset_clear(&saved);
	return err;
}

/* An interface that is not there yet is no failure: it may come. */
static int restore_interface(struct datapath *dp, const char *name, enum attach_mode mode)
{
	int err;

	if (!if_nametoindex(name) || datapath_device(dp, name))
		return 0;
	err = datapath_attach(dp, name, mode, false);
	if (!err)
		printf("%s: attached, %s mode\n", name, datapath_interface(dp, name)->mode);
	return err;
}

/* One that cannot be attached does not keep the others from it. */
static int restore_interfaces(struct datapath *dp)
{
	cleanup_free char *text = NULL;
	char *rest, *line, name[IFNAMSIZ], mode[16];
	size_t size;
	int err = file_read(saved_interfaces_path(), &text, &size), failed = 0;

	if (err)
		return fail(err, "cannot read %s: %s; \"portctl save\" writes it",
			    saved_interfaces_path(), strerror(-err));
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%15s %15s", name, mode) != 2)
			continue;
		err = restore_interface(dp, name,
					strcmp(mode, "generic") ? ATTACH_AUTO : ATTACH_GENERIC);
		failed = failed ?: err;
	}
	return failed;
}

static int restore_all(void)
{
	struct datapath dp;
	int err = datapath_open(&dp, DATAPATH_WRITE);

	if (!err)
		err = restore_rules(&dp);
	if (!err)
		err = restore_interfaces(&dp);
	datapath_close(&dp);
	fflush(stdout);
	return err;
}

static int open_link_events(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	fail(-errno, "cannot watch for interfaces: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/*
 * Whatever happens to any interface, look whether one is missing. Events that
 * were lost (ENOBUFS) are an event too.
 */
static int follow(int events)
{
	char buffer[16384];

	while (recv(events, buffer, sizeof(buffer), 0) >= 0 || errno == ENOBUFS ||
	       errno == EINTR) {
		/* More of the same burst are answered by one look. */
		while (recv(events, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0)
			continue;
		restore_all();
	}
	return fail(-errno, "cannot watch for interfaces any more: %s", strerror(errno));
}

int cmd_restore(const struct command *command, int argc, char **argv)
{
	struct options options = { 0 };
	cleanup_close int events = -1;
	int err;

	if (parse_options(argc, argv, &options))
		return usage(command);
	if (options.follow) { /* first, so that nothing falls in between */
		events = open_link_events();
		if (events < 0)
			return EXIT_REFUSED;
	}
	err = restore_all();
	if (options.follow)
		err = follow(events);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
