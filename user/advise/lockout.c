// SPDX-License-Identifier: GPL-2.0-only
#include "advise/lockout.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "host/connections.h"
#include "kernel/datapath_knock.h"
#include "kernel/needs.h"
#include "compile/evaluate.h"
#include "base/log.h"
#include "rules/prefix.h"
#include "compile/compile.h"
#include "compile/image.h"
#include "host/sockets.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/env.h"
#include "host/way_in.h"

/* The open connections, and what is needed to judge them. */
struct guarded {
	struct connections connections;
	struct devices devices; /* to find the interfaces that a connection may come in on */
	struct granted *grants;
	size_t grant_count;
	const char *advice; /* the end of a refusal */
};

static void guarded_clear(struct guarded *guarded)
{
	devices_clear(&guarded->devices);
	free(guarded->connections.list);
	free(guarded->grants);
}

#define cleanup_guarded __attribute__((cleanup(guarded_clear)))

/* A ruleset, compiled for one interface. */
struct judge {
	const struct ruleset *ruleset;
	struct image image;
};

/* What a ruleset does to an open connection, from worst to best. */
enum fate_kind {
	FATE_CUT,
	FATE_LIMITED, /* its packets are limited */
	FATE_GOES_ON, /* let in as a reply, but a new connection would not be */
	FATE_LET_IN,
};

struct fate {
	enum fate_kind kind;
	__u64 interval; /* FATE_LIMITED: nanoseconds between packets */
	__u32 line; /* FATE_LIMITED: the line of the limit's rule */
};

/* A time for which connections are tested. */
struct moment {
	__u64 now; /* nanoseconds since boot */
	const char *text; /* for the refusal */
};

/*
 * A time at which all rules with "for" have expired. Grants have expired too, but that is no
 * harm: their sources can knock again.
 */
#define AT_LAST (~0ull)

/*
 * Limits of 100/s or more are ignored: they are enough for an interactive session. That others
 * may use up a shared limit is not considered.
 */
#define RATE_FREE 100 /* packets a second */

static struct fate fate_of(const struct judge *judge, const struct connection *connection,
			   const struct guarded *guarded, __u64 now)
{
	__u64 doors = datapath_granted_doors(guarded->grants, guarded->grant_count,
					     judge->ruleset, &connection->remote);
	const struct detail *detail;
	entry_t entry = evaluate_detail(&judge->image, PORT_KEY_TCP + connection->local_port,
					&connection->remote, now, doors, &detail);
	struct fate fate = { .kind = FATE_LET_IN };

	if (entry_verdict(entry) != VERDICT_PASS)
		fate.kind = entry_flags(entry) & ENTRY_REPLY ? FATE_GOES_ON : FATE_CUT;
	else if (detail && detail->interval > 1000000000 / RATE_FREE)
		fate = (struct fate){ FATE_LIMITED, detail->interval, entry_line(entry) };
	return fate;
}

static bool is_worse(const struct fate *after, const struct fate *before)
{
	if (after->kind == FATE_LIMITED && before->kind == FATE_LIMITED)
		return after->interval > before->interval;
	/* As a reply it would have no limit, but a new connection would no longer be let in. */
	if (after->kind == FATE_GOES_ON && before->kind == FATE_LIMITED)
		return true;
	return after->kind < before->kind;
}

static char *connection_text(const struct connection *connection, const char *iface)
{
	const char *service = service_name(PORT_KEY_TCP + connection->local_port);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("the open connection from ", out);
	prefix_print(&connection->remote, out);
	fprintf(out, " (port %u) to port %u%s%s on %s", connection->remote_port,
		connection->local_port, service ? " " : "", service ?: "", iface);
	fclose(out);
	return text;
}

static int fail_worse(const struct connection *connection, const char *iface,
		      const struct fate *fate, const struct ruleset *ruleset, const char *when,
		      const char *advice)
{
	cleanup_free char *text = connection_text(connection, iface);
	const struct rule *rule;

	if (fate->kind == FATE_GOES_ON)
		return fail(-EACCES,
			    "refused: %s would go on, but could not be made again%s; %s",
			    text ?: "one", when, advice);
	if (fate->kind == FATE_CUT)
		return fail(-EACCES, "refused: this would shut out %s%s; %s", text ?: "one",
			    when, advice);
	rule = ruleset_line(ruleset, fate->line);
	if (!rule)
		return fail(-EPROTO,
			    "a limit has no rule"); /* impossible: limits come from rules */
	return fail(-EACCES, "refused: %s would be limited to %u/%c for all its packets%s; %s",
		    text ?: "one", rule->limit.count, rule->limit.unit, when, advice);
}

/*
 * Whether neighbour discovery gets through, which mostly comes from link-local addresses.
 * Without it IPv6 stops working once the entries of the neighbour table expire.
 */
static bool hears_neighbours(const struct judge *judge, __u64 now)
{
	static const struct prefix neighbour = { 6, 128, { 0xFE, 0x80, [15] = 1 } };
	entry_t entry = evaluate_entry(&judge->image, KEY_NEIGHBOUR, &neighbour, now, 0);

	return entry_verdict(entry) == VERDICT_PASS;
}

static int check_at(const struct moment *moment, const struct judge *before,
		    const struct judge *after, const struct guarded *guarded,
		    const struct interface *iface)
{
	bool deafens = iface->ifindex != LOOPBACK_INDEX &&
		       hears_neighbours(before, moment->now) &&
		       !hears_neighbours(after, moment->now);

	for (size_t i = 0; i < guarded->connections.count; i++) {
		const struct connection *connection = &guarded->connections.list[i];
		struct fate was = fate_of(before, connection, guarded, moment->now);
		struct fate fate = fate_of(after, connection, guarded, moment->now);

		if (deafens && connection->remote.family == 6)
			fate.kind = FATE_CUT;
		if (is_worse(&fate, &was) &&
		    way_in_is_possible(&guarded->devices, connection, iface->ifindex))
			return fail_worse(connection, iface->name, &fate, after->ruleset,
					  moment->text, guarded->advice);
	}
	return 0;
}

/* Test the time after expiry too: a temporary rule may hide that a permanent one is lost. */
static int check_interface(const struct judge *before, const struct judge *after,
			   const struct guarded *guarded, const struct interface *iface)
{
	const struct moment now = { since_boot(), "" };
	const struct moment at_last = { AT_LAST, " once the rules with \"for\" have expired" };

	return check_at(&now, before, after, guarded, iface)
		       ?: check_at(&at_last, before, after, guarded, iface);
}

static int compare_on(const struct interface *iface, const struct ruleset *running,
		      const struct ruleset *next, const struct guarded *guarded)
{
	cleanup_free struct judge *judges = calloc(2, sizeof(*judges));
	int err = judges ? 0 : -ENOMEM;

	for (int i = 0; i < 2 && !err; i++) {
		judges[i].ruleset = i ? next : running;
		err = compile(judges[i].ruleset, iface->name, &judges[i].image, NULL);
	}
	if (err)
		fail(err, "cannot check the open connections: %s", datapath_reason(err));
	else
		err = check_interface(&judges[0], &judges[1], guarded, iface);
	for (int i = 0; i < 2 && judges; i++)
		image_clear(&judges[i].image);
	return err;
}

/* SSH_CONNECTION is "CLIENT CLIENT_PORT SERVER SERVER_PORT" (ssh(1)). */
static int add_ssh(struct connections *connections)
{
	char text[256], remote[64], local[64], expected[128];
	struct connection connection = { 0 };
	unsigned int remote_port, local_port;

	snprintf(text, sizeof(text), "%s", env_or("SSH_CONNECTION", ""));
	if (sscanf(text, "%63s %5u %63s %5u", remote, &remote_port, local, &local_port) != 4 ||
	    remote_port > 65535 || local_port > 65535 ||
	    prefix_parse(remote, &connection.remote, expected) ||
	    prefix_parse(local, &connection.local, expected) ||
	    !way_in_is_own(&connection.local)) /* of another network namespace */
		return 0;
	connection.remote_port = remote_port;
	connection.local_port = local_port;
	if (array_reserve(&connections->list, &connections->room, connections->count,
			  sizeof(connection)))
		return -ENOMEM;
	connections->list[connections->count++] = connection;
	return 0;
}

static int guarded_list(const struct datapath *dp, struct guarded *guarded)
{
	struct connections *connections = &guarded->connections;
	int err = connections_inbound(connections);

	if (err == -ENOENT) { /* a kernel without sock_diag */
		note("this kernel does not list connections (inet_diag): only the connection "
		     "in SSH_CONNECTION is protected");
		err = 0;
	}
	if (!err)
		err = add_ssh(connections);
	if (!err && connections->count)
		err = devices_list(&guarded->devices);
	if (!err && connections->count && dp->control)
		err = datapath_grants(dp, &guarded->grants, &guarded->grant_count);
	return err ? fail(err, "cannot list the open connections: %s", datapath_reason(err))
		   : 0;
}

int lockout_check(const struct datapath *dp, const struct ruleset *running,
		  const struct ruleset *next, const char *advice)
{
	cleanup_guarded struct guarded guarded = { .advice = advice };
	int err = guarded_list(dp, &guarded);

	for (size_t i = 0; i < dp->count && !err && guarded.connections.count; i++)
		err = compare_on(&dp->interfaces[i], running, next, &guarded);
	return err;
}

int lockout_check_attach(const struct datapath *dp, const char *name,
			 const struct ruleset *running)
{
	cleanup_guarded struct guarded guarded = { .advice =
							   "allow it, or insist with --force" };
	struct interface iface = { .ifindex = if_nametoindex(name) };
	cleanup_ruleset struct ruleset none;
	int err;

	ruleset_init(&none);

	if (!iface.ifindex || strlen(name) >= sizeof(iface.name)) /* attaching reports it */
		return 0;
	if (!running->count && running->fallback == VERDICT_PASS)
		return 0;
	strcpy(iface.name, name);
	err = guarded_list(dp, &guarded);
	if (!err && guarded.connections.count)
		err = compare_on(&iface, &none, running, &guarded);
	return err;
}
