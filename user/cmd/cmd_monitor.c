// SPDX-License-Identifier: GPL-2.0-only
/* monitor: report events as they happen. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/help.h"
#include "kernel/counters.h"
#include "kernel/datapath_events.h"
#include "kernel/datapath_knock.h"
#include "kernel/datapath_rules.h"
#include "state/stats.h"
#include "watch/events.h"
#include "watch/port_watch.h"
#include "watch/notify.h"

#define WAIT_MILLISECONDS 200
#define TURN_NANOSECONDS 1000000000ull
#define SAMPLES_MAX 255
#define EXPIRY "expiry" /* an event that the data path does not report */

struct monitor_options {
	unsigned long samples;
	const char *program;
	bool json;
};

static const struct cli_option monitor_options[] = {
	{ "samples", 0, "N",
	  "report at most N drops and rejects per second and port (10; at most 255). All watchers, "
	  "\"portctl top\" too, share the samples, and the largest N counts for all",
	  CLI_NUMBER(struct monitor_options, samples, 0, SAMPLES_MAX) },
	{ "exec", 0, "PROGRAM",
	  "run PROGRAM for each event, with the event as JSON on its standard input: at most 10 "
	  "a second, 8 at a time, and each for 10 seconds",
	  CLI_TEXT(struct monitor_options, program) },
	{ CLI_JSON(struct monitor_options, json) },
	{ 0 },
};

struct monitor {
	struct notifier notifier;
	__u32 samples;
	bool wanted[EVENT_KINDS];
	bool expiries;
	bool ports_wanted[PORT_EVENTS];
	struct port_watch *ports; /* NULL if no event of ports is wanted */
	struct watcher *watcher; /* NULL while nothing is attached */
	struct ruleset ruleset;
	struct event_names names;
	__u32 generation;
	__u64 turn; /* time of the last turn, since boot */
	/* What was counted until then: */
	__u64 dropped; /* all drops and rejects */
	__u64 shown; /* drops and rejects that were reported */
	__u64 lost; /* events of other kinds that were not */
};

static int monitor_read_rules(struct monitor *monitor, const struct datapath *dp)
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

/* An event of changed rules can arrive before the next turn. */
static void refresh_rules(struct monitor *monitor)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;

	if (!datapath_open(&dp, DATAPATH_READ) && watcher_belongs(monitor->watcher, &dp))
		monitor_read_rules(monitor, &dp);
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

/* What a turn found. It is reported after the lock is released. */
struct found {
	struct granted *ended;
	size_t ended_count;
	bool counted;
	__u64 drops; /* not reported */
	__u64 events; /* of other kinds, not reported */
};

/* Finds the grants that ended since the last turn; the data path does not report them. */
static void find_ended(const struct monitor *monitor, const struct datapath *dp, __u64 now,
		       struct found *found)
{
	if (!datapath_ended_grants(dp, monitor->turn, now, &found->ended, &found->ended_count))
		return;
	found->ended = NULL;
	found->ended_count = 0;
}

static void report_found(struct monitor *monitor, const struct found *found)
{
	for (size_t i = 0; i < found->ended_count; i++)
		notify_event(&monitor->notifier,
			     expiry_json(&found->ended[i], &monitor->names));
	free(found->ended);
	if (found->counted)
		notify_lost(&monitor->notifier, found->drops, found->events);
}

/*
 * Counts all drops and rejects. Includes those of the rules before the running ones: without
 * them the sum would shrink with a change, and grow again with a rollback, or when the next
 * change adds them to the line "removed".
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

/* Counts what was not reported since the last turn: drops that were no sample, lost events. */
static void count_lost(struct monitor *monitor, struct datapath *dp, bool first,
		       struct found *found)
{
	struct event_count counts[EVENT_KINDS];
	__u64 shown, dropped, lost = 0, drops, reported;

	if (datapath_event_counts(dp, counts))
		return;
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		lost += counts[kind].lost;
	shown = counts[EVENT_DROP].sent + counts[EVENT_REJECT].sent;
	dropped = count_drops(dp, &monitor->ruleset);
	drops = dropped - monitor->dropped;
	reported = shown - monitor->shown;
	found->counted = !first;
	if (first)
		monitor->notifier.hooks.skipped = 0;
	found->drops = dropped > monitor->dropped && drops > reported ? drops - reported : 0;
	found->events = lost - monitor->lost;
	monitor->dropped = dropped;
	monitor->shown = shown;
	monitor->lost = lost;
}

/* Opens the events; again if the data path was removed and attached anew. */
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
		return err ?: monitor_read_rules(monitor, dp);
	}
	return dp->control->generation != monitor->generation ? monitor_read_rules(monitor, dp)
							      : 0;
}

static int find_news(struct monitor *monitor, __u64 now, struct found *found)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	bool first;
	int err = datapath_open(&dp, DATAPATH_READ) ?: follow_datapath(monitor, &dp, &first);

	if (err || !monitor->watcher)
		return err;
	watcher_refill(monitor->watcher, &dp);
	if (!first && monitor->expiries)
		find_ended(monitor, &dp, now, found);
	count_lost(monitor, &dp, first, found);
	return 0;
}

/* Once a second: follows the rules, and reports ended grants and what was not reported. */
static int monitor_turn(struct monitor *monitor)
{
	__u64 now = since_boot();
	struct found found = { 0 };
	int err = find_news(monitor, now, &found);

	monitor->turn = now;
	report_found(monitor, &found);
	return err;
}

/* Watches ports from now on, if one of their events is wanted. */
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

static int monitor_run_turns(struct monitor *monitor)
{
	int err = monitor_turn(monitor);

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
			err = monitor_turn(monitor);
	}
	return err;
}

/* Takes the kinds of events that are wanted; none: all. */
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
		else if (!strcmp(words[i], EXPIRY))
			monitor->expiries = true;
		else
			return fail(-EINVAL,
				    "argv: found \"%s\", expected a kind of event: \"portctl "
				    "help monitor\" lists the kinds",
				    words[i]);
	}
	return 0;
}

/* Only for events of ports: the process that a socket belongs to. */
static int give_up_processes(const struct monitor *monitor)
{
	bool ports = memchr(monitor->ports_wanted, true, sizeof(monitor->ports_wanted));

	return ports ? 0 : privileges_keep(CAPABILITIES_DATAPATH | RUNS_PROGRAMS);
}

static int monitor_run(const struct command *command, int argc, char **argv)
{
	struct monitor_options options = { .samples = EVENT_SAMPLES };
	struct monitor monitor = { 0 };
	int err, status = command_parse(command, &argc, argv, &options);

	if (status)
		return status;
	if (parse_kinds(&monitor, argc - 1, argv + 1))
		return EXIT_REFUSED;
	monitor.samples = options.samples;
	monitor.notifier.json = options.json;
	monitor.notifier.hooks.program = options.program;
	if (notify_begin(&monitor.notifier) || give_up_processes(&monitor))
		return EXIT_REFUSED;
	ruleset_init(&monitor.ruleset);
	err = monitor_run_turns(&monitor);
	hooks_end(&monitor.notifier.hooks);
	watcher_free(monitor.watcher);
	port_watch_free(monitor.ports);
	event_names_clear(&monitor.names);
	ruleset_clear(&monitor.ruleset);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

static void put_word(char *list, size_t size, const char *word)
{
	size_t length = strlen(list);

	snprintf(list + length, size - length, "%s%s", length ? " " : "", word);
}

static void monitor_print_kinds(const struct command *command, FILE *out)
{
	char drops[64] = "", knocks[128] = "", ports[64] = "";
	const struct help_row rows[] = {
		{ drops, "samples of packets that were dropped or rejected" },
		{ knocks, "of knocks" },
		{ ports, "of ports, as \"portctl watch\" reports them" },
		{ 0 },
	};

	(void)command;
	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
		if (kind == EVENT_DROP || kind == EVENT_REJECT)
			put_word(drops, sizeof(drops), event_name(kind));
		else
			put_word(knocks, sizeof(knocks), event_name(kind));
	}
	put_word(knocks, sizeof(knocks), EXPIRY);
	for (enum port_event event = 0; event < PORT_EVENTS; event++)
		put_word(ports, sizeof(ports), port_event_name(event));
	fputs("EVENT is one of these; without EVENT all are reported:\n", out);
	help_rows(out, rows);
}

const struct command cmd_monitor_entry = {
	.name = "monitor",
	.arguments = "[EVENT...]",
	.summary = "Report events as they happen",
	.help = "Prints once a second how many events were not reported, if there were any.",
	.more_help = monitor_print_kinds,
	.examples = "  portctl monitor drop --samples 1\n"
		    "  portctl monitor grant lockout --exec /usr/local/bin/notify\n",
	.options = monitor_options,
	.words = { 0, ANY_WORDS },
	.run = monitor_run,
	.privileges = PRIVILEGES_CHANGE | PRIVILEGES_PROCESSES | RUNS_PROGRAMS,
};
