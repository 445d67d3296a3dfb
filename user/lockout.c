// SPDX-License-Identifier: GPL-2.0-only
#include "lockout.h"

#include <errno.h>
#include <string.h>

#include "connections.h"
#include "datapath_internal.h"
#include "evaluate.h"
#include "log.h"
#include "prefix.h"
#include "util.h"
#include "way_in.h"

/* The two rulesets as one interface has them. */
struct comparison {
	struct image before;
	struct image after;
};

static int fail_cut(const struct connection *connection, const char *iface)
{
	cleanup_free char *address = NULL;
	size_t size;
	FILE *out = open_memstream(&address, &size);
	const char *service = service_name(PORT_KEY_TCP + connection->local_port);

	if (out) {
		prefix_print(&connection->remote, out);
		fclose(out);
	}
	return fail(
		-EACCES,
		"refused: this would shut out the open connection from %s (port %u) to port "
		"%u%s%s on %s; allow it, or try with --confirm 60s, or insist with --force",
		address ?: "?", connection->remote_port, connection->local_port,
		service ? " " : "", service ?: "", iface);
}

static int check_interface(const struct comparison *comparison,
			   const struct connections *connections, const struct interface *iface,
			   const struct devices *devices)
{
	__u64 now = since_boot();

	for (size_t i = 0; i < connections->count; i++) {
		const struct connection *connection = &connections->list[i];
		__u32 key = PORT_KEY_TCP + connection->local_port;

		if (evaluate(&comparison->before, key, &connection->remote, now) ==
			    VERDICT_PASS &&
		    evaluate(&comparison->after, key, &connection->remote, now) !=
			    VERDICT_PASS &&
		    may_come_in_on(devices, connection, iface->ifindex))
			return fail_cut(connection, iface->name);
	}
	return 0;
}

static int compare_on(const struct interface *iface, const struct ruleset *running,
		      const struct ruleset *next, const struct connections *connections,
		      const struct devices *devices)
{
	cleanup_free struct comparison *comparison = calloc(1, sizeof(*comparison));
	int err = comparison ? 0 : -ENOMEM;

	if (!err)
		err = compile(running, iface->name, &comparison->before, NULL);
	if (!err)
		err = compile(next, iface->name, &comparison->after, NULL);
	if (err)
		fail(err, "cannot check the open connections: %s", reason(err));
	else
		err = check_interface(comparison, connections, iface, devices);
	if (comparison) {
		image_clear(&comparison->before);
		image_clear(&comparison->after);
	}
	return err;
}

/* "CLIENT CLIENT_PORT SERVER SERVER_PORT", as sshd sets it. */
static int add_ssh(struct connections *connections)
{
	char text[256], remote[64], local[64], expected[128];
	struct connection connection = { 0 };
	unsigned int remote_port, local_port;

	snprintf(text, sizeof(text), "%s", env_or("SSH_CONNECTION", ""));
	if (sscanf(text, "%63s %5u %63s %5u", remote, &remote_port, local, &local_port) != 4 ||
	    remote_port > 65535 || local_port > 65535 ||
	    prefix_parse(remote, &connection.remote, expected) ||
	    prefix_parse(local, &connection.local, expected))
		return 0;
	connection.remote_port = remote_port;
	connection.local_port = local_port;
	if (array_reserve(&connections->list, &connections->room, connections->count,
			  sizeof(connection)))
		return -ENOMEM;
	connections->list[connections->count++] = connection;
	return 0;
}

int lockout_check(const struct datapath *dp, const struct ruleset *running,
		  const struct ruleset *next)
{
	struct connections connections;
	struct devices devices = { 0 };
	int err = connections_inbound(&connections);

	if (err == -ENOENT) { /* a kernel without sock_diag */
		note("this kernel does not list connections (inet_diag): only SSH_CONNECTION "
		     "is looked at");
		err = 0;
	}
	if (!err)
		err = add_ssh(&connections);
	if (!err && connections.count)
		err = devices_list(&devices);
	if (err)
		fail(err, "cannot list the open connections: %s", reason(err));
	for (size_t i = 0; i < dp->count && !err && connections.count; i++)
		err = compare_on(&dp->interfaces[i], running, next, &connections, &devices);
	devices_clear(&devices);
	free(connections.list);
	return err;
}
