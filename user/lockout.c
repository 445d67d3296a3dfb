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

/* What is open now, and where it comes in. */
struct guarded {
	struct connections connections;
	struct devices devices;
	const char *advice; /* to whom is refused */
};

/* The two rulesets as one interface has them. */
struct comparison {
	struct image before;
	struct image after;
};

static int fail_cut(const struct connection *connection, const char *iface, const char *advice)
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
		"%u%s%s on %s; %s",
		address ?: "?", connection->remote_port, connection->local_port,
		service ? " " : "", service ?: "", iface, advice);
}

static int check_interface(const struct comparison *comparison, const struct guarded *guarded,
			   const struct interface *iface)
{
	__u64 now = since_boot();

	for (size_t i = 0; i < guarded->connections.count; i++) {
		const struct connection *connection = &guarded->connections.list[i];
		__u32 key = PORT_KEY_TCP + connection->local_port;

		if (evaluate(&comparison->before, key, &connection->remote, now) ==
			    VERDICT_PASS &&
		    evaluate(&comparison->after, key, &connection->remote, now) !=
			    VERDICT_PASS &&
		    may_come_in_on(&guarded->devices, connection, iface->ifindex))
			return fail_cut(connection, iface->name, guarded->advice);
	}
	return 0;
}

static int compare_on(const struct interface *iface, const struct ruleset *running,
		      const struct ruleset *next, const struct guarded *guarded)
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
		err = check_interface(comparison, guarded, iface);
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

static int guarded_list(struct guarded *guarded)
{
	struct connections *connections = &guarded->connections;
	int err = connections_inbound(connections);

	if (err == -ENOENT) { /* a kernel without sock_diag */
		note("this kernel does not list connections (inet_diag): only SSH_CONNECTION "
		     "is looked at");
		err = 0;
	}
	if (!err)
		err = add_ssh(connections);
	if (!err && connections->count)
		err = devices_list(&guarded->devices);
	return err ? fail(err, "cannot list the open connections: %s", reason(err)) : 0;
}

static void guarded_clear(struct guarded *guarded)
{
	devices_clear(&guarded->devices);
	free(guarded->connections.list);
}

int lockout_check(const struct datapath *dp, const struct ruleset *running,
		  const struct ruleset *next)
{
	struct guarded guarded = {
		.advice = "allow it, or try with --confirm 60s, or insist with --force",
	};
	int err = guarded_list(&guarded);

	for (size_t i = 0; i < dp->count && !err && guarded.connections.count; i++)
		err = compare_on(&dp->interfaces[i], running, next, &guarded);
	guarded_clear(&guarded);
	return err;
}

int lockout_check_attach(const char *name, const struct ruleset *running)
{
	struct guarded guarded = { .advice = "allow it, or insist with --force" };
	struct interface iface = { .ifindex = if_nametoindex(name) };
	struct ruleset none;
	int err = 0;

	if (!iface.ifindex || strlen(name) >= sizeof(iface.name)) /* attaching says so */
		return 0;
	strcpy(iface.name, name);
	ruleset_init(&none);
	err = guarded_list(&guarded);
	if (!err && guarded.connections.count)
		err = compare_on(&iface, &none, running, &guarded);
	guarded_clear(&guarded);
	ruleset_clear(&none);
	return err;
}
