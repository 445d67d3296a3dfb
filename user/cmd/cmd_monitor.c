// SPDX-License-Identifier: GPL-2.0-only
/* monitor: what happens, as it happens. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/command.h"
#include "kernel/datapath_knock.h"
#include "kernel/datapath_rules.h"
#include "watch/events.h"
#include "base/log.h"
#include "watch/port_watch.h"
#include "base/privileges.h"
#include "state/stats.h"
#include "watch/notify.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "kernel/counters.h"
#include "kernel/datapath_events.h"

#define WAIT_MILLISECONDS 200
#define TURN_NANOSECONDS 1000000000ull

struct monitor {
	struct notifier notifier;
	__u32 samples;
	bool wanted[EVENT_KINDS];
	bool expiries;
	bool ports_wanted[PORT_EVENTS];
	struct port_watch *ports; /* NULL: none of these is wanted */
	struct watcher *watcher; /* NULL while nothing is attached */
	struct ruleset ruleset;
	struct event_names names;
	__u32 generation;
	__u64 turn; /* when it last looked around, since boot */
	__u64 dropped; /* all drops and rejects by then, */
	__u64 shown; /* and how many of them were told */
	__u64 lost; /* of the other kinds */
};

static int read_rules(struct monitor *monitor, const struct datapath *dp)
{
	int err;

	event_names_clear(&monitor->names);
	ruleset_clear(&monitor->ruleset);
	ruleset_init(&monitor->ruleset);
	err = datapath_ruleset(dp, &monitor->ruleset);
	monitor->generation = dp->control->generation;
	return err
		       ?: event_names_read(&monitor->names, &monitor->ruleset, dp->interfaces,
					   dp->count);
}

/* A change of the rules may be told of before the next turn. */
static void refresh_rules(struct monitor *monitor)
{
	struct datapath dp;

	if (!datapath_open(&dp, DATAPATH_READ) && watcher_belongs(monitor->watcher, &dp))
		read_rules(monitor, &dp);
	datapath_close(&dp);
}

static void show_event(const struct event *event, void *data)
{
	struct monitor *monitor = data;

	if (event->kind >= EVENT_KINDS || !monitor->wanted[event->kind])
		return;
	if (watcher_generation(monitor->watcher) != monitor->generation)
		refresh_rules(monitor);
	notify_event(&monitor->notifier, event_json(event, &monitor->names));
}

/* What a turn has found, to be told once others have theirs. */
struct found {
	struct granted *ended;
	size_t ended_count;
	bool counted;
	__u64 drops;
	__u64 events;
};

/* Grants whose time ended since the last turn: nobody is told by the data path. */
static void find_ended(const struct monitor *monitor, const struct datapath *dp, __u64 now,
		       struct found *found)
{
	if (!datapath_ended_grants(dp, monitor->turn, now, &found->ended, &found->ended_count))
		return;
	found->ended = NULL;
	found->ended_count = 0;
}

static void tell_found(struct monitor *monitor, const struct found *found)
{
	for (size_t i = 0; i < found->ended_count; i++)
		notify_event(&monitor->notifier,
			     expiry_json(&found->ended[i], &monitor->names));
	free(found->ended);
	if (found->counted)
		notify_lost(&monitor->notifier, found->drops, found->events);
}

/*
 * Those of rules that are gone are among them: else they would be missing now, and come
 * anew with a rollback, or once another change makes them the line "removed".
 */
static __u64 count_drops(struct datapath *dp, const struct ruleset *ruleset)
{
	cleanup_free struct stored_rule *gone = NULL;
	__u64 dropped = 0;
	size_t gone_count;
	int err = datapath_previous(dp, &gone, &gone_count)
			  ?: datapath_map_counters(dp, ALL_COUNTERS);

	for (size_t i = 0; i < dp->count && !err; i++) {
		struct stats stats;

		if (!stats_collect(&dp->interfaces[i], ruleset, gone, gone_count, &stats))
			dropped += stats.total.drop.packets;
		stats_clear(&stats);
	}
	return dropped;
}

/* What was not told since the last turn: of drops it is all but the samples. */
static void count_lost(struct monitor *monitor, struct datapath *dp, bool first,
		       struct found *found)
{
	struct event_count counts[EVENT_KINDS];
	__u64 shown, dropped, lost = 0, drops, told;

	if (datapath_event_counts(dp, counts))
		return;
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		lost += counts[kind].lost;
	shown = counts[EVENT_DROP].sent + counts[EVENT_REJECT].sent;
	dropped = count_drops(dp, &monitor->ruleset);
	drops = dropped - monitor->dropped;
	told = shown - monitor->shown;
	found->counted = !first;
	if (first)
		monitor->notifier.hooks.skipped = 0;
	found->drops = dropped > monitor->dropped && drops > told ? drops - told : 0;
	found->events = lost - monitor->lost;
	monitor->dropped = dropped;
	monitor->shown = shown;
	monitor->lost = lost;
}

/* What was watched may be gone, and come back as another. */
static int follow_datapath(struct monitor *monitor, struct datapath *dp, bool *first)
{
	*first = false;
	if (monitor->watcher && !watcher_belongs(monitor->watcher, dp)) {
		watcher_free(monitor->watcher);
		monitor->watcher = NULL;
	}
	if (!dp->control || !dp->count)
		return 0;
	if (!monitor->watcher) {
		int err = datapath_watch(dp, monitor->samples, &monitor->watcher);

		*first = true;
		return err ?: read_rules(monitor, dp);
	}
	return dp->control->generation != monitor->generation ? read_rules(monitor, dp) : 0;
}

/* Once a second: the rules, grants that ended, and what was not told. */
static int look_around(struct monitor *monitor)
{
	__u64 now = since_boot();
	struct found found = { 0 };
	struct datapath dp;
	bool first;
	int err = datapath_open(&dp, DATAPATH_READ) ?: follow_datapath(monitor, &dp, &first);

	if (!err && monitor->watcher) {
		watcher_refill(monitor->watcher, &dp);
		if (!first && monitor->expiries)
			find_ended(monitor, &dp, now, &found);
		count_lost(monitor, &dp, first, &found);
	}
	monitor->turn = now;
	datapath_close(&dp);
	tell_found(monitor, &found);
	return err;
}

/* What listens is watched from here on, if that is wanted. */
static int begin_ports(struct monitor *monitor)
{
	bool wanted = false;

	for (enum port_event event = 0; event < PORT_EVENTS; event++)
		wanted |= monitor->ports_wanted[event];
	if (!wanted)
		return 0;
	return port_watch_open(&monitor->ports, NULL, &monitor->notifier, monitor->ports_wanted)
		       ?: port_watch_turn(monitor->ports, 0);
}

static int watch(struct monitor *monitor)
{
	int err = look_around(monitor);

	if (!err && !monitor->watcher)
		return fail(-ENOENT,
			    "portctl is attached to no interface: portctl attach IFACE");
	err = err ?: begin_ports(monitor);
	while (!err && !notify_stopped) {
		if (!monitor->watcher)
			usleep(WAIT_MILLISECONDS * 1000);
		else
			watcher_wait(monitor->watcher, WAIT_MILLISECONDS, show_event, monitor);
		hooks_reap(&monitor->notifier.hooks);
		if (monitor->ports)
			err = port_watch_turn(monitor->ports, 0);
		if (!err && since_boot() - monitor->turn >= TURN_NANOSECONDS)
			err = look_around(monitor);
	}
	return err;
}

/* The kinds that are asked for; all where none is. */
static int parse_kinds(struct monitor *monitor, int count, char **words)
{
	monitor->expiries = !count;
	memset(monitor->wanted, !count, sizeof(monitor->wanted));
	memset(monitor->ports_wanted, !count, sizeof(monitor->ports_wanted));
	for (int i = 0; i < count; i++) {
		enum event_kind kind = event_kind(words[i]);
		enum port_event event = port_event(words[i]);

		if (kind != EVENT_NONE)
			monitor->wanted[kind] = true;
		else if (event != PORT_EVENTS)
			monitor->ports_wanted[event] = true;
		else if (!strcmp(words[i], "expiry"))
			monitor->expiries = true;
		else
			return fail(
				-EINVAL,
				"argv: found \"%s\", expected a kind of event: \"portctl help "
				"monitor\" lists them",
				words[i]);
	}
	return 0;
}

static int parse_options(int argc, char **argv, struct monitor *monitor)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "exec", required_argument, NULL, 'e' },
		{ "samples", required_argument, NULL, 's' },
		{ 0 },
	};
	unsigned long samples = EVENT_SAMPLES;
	int option;

	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == 'j')
			monitor->notifier.json = true;
		else if (option == 'e')
			monitor->notifier.hooks.program = optarg;
		else if (option != 's' || number_parse(optarg, strlen(optarg), 255, &samples))
			return -EINVAL;
	}
	monitor->samples = samples;
	return 0;
}

/* Whose a socket is needs to be known only where ports are watched. */
static int give_up_processes(const struct monitor *monitor)
{
	bool ports = memchr(monitor->ports_wanted, true, sizeof(monitor->ports_wanted));

	return ports ? 0 : privileges_keep(CAPABILITIES_DATAPATH | RUNS_PROGRAMS);
}

int cmd_monitor(const struct command *command, int argc, char **argv)
{
	struct monitor monitor = { 0 };
	int err;

	if (parse_options(argc, argv, &monitor))
		return command_usage(command);
	if (parse_kinds(&monitor, argc - optind, argv + optind))
		return EXIT_REFUSED;
	if (notify_begin(&monitor.notifier) || give_up_processes(&monitor))
		return EXIT_REFUSED;
	ruleset_init(&monitor.ruleset);
	err = watch(&monitor);
	hooks_end(&monitor.notifier.hooks);
	watcher_free(monitor.watcher);
	port_watch_free(monitor.ports);
	event_names_clear(&monitor.names);
	ruleset_clear(&monitor.ruleset);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
