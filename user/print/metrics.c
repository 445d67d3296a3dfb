// SPDX-License-Identifier: GPL-2.0-only
#include "print/metrics.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "kernel/datapath_events.h"
#include "kernel/datapath_knock.h"
#include "print/output.h"

/* Moves the history of an interface to *now, if the same attachment is in `history`. */
static void history_take(struct metrics_history *history, struct shown_history *now)
{
	for (size_t i = 0; i < history->count; i++) {
		struct shown_history *old = &history->interfaces[i];

		if (strcmp(old->name, now->name) || old->attached_at != now->attached_at)
			continue;
		*now = *old;
		*old = (struct shown_history){ 0 };
	}
}

/* Updates the shown ports of each interface. Drops the history of detached interfaces. */
static int history_update(struct metrics_history *history, const struct snapshot *snapshot,
			  size_t max_ports)
{
	struct metrics_history next = { 0 };
	int err = 0;

	next.interfaces = calloc(snapshot->dp.count + 1, sizeof(*next.interfaces));
	for (size_t i = 0; i < snapshot->dp.count && next.interfaces && !err; i++) {
		const struct interface *iface = &snapshot->dp.interfaces[i];
		struct shown_history *now = &next.interfaces[next.count++];

		memcpy(now->name, iface->name, sizeof(now->name));
		now->attached_at = iface->attached_at;
		history_take(history, now);
		err = shown_ports_update(&now->ports, snapshot->stats[i].ports, max_ports);
	}
	metrics_history_clear(history);
	*history = next;
	return next.interfaces ? err : -ENOMEM;
}

void metrics_history_clear(struct metrics_history *history)
{
	for (size_t i = 0; i < history->count; i++) {
		shown_ports_clear(&history->interfaces[i].ports);
		outlook_clear(&history->interfaces[i].outlook);
	}
	free(history->interfaces);
	*history = (struct metrics_history){ 0 };
}

/*
 * The text of a line as in `stats`, but only the name of a knock: a reader of the metrics must
 * not learn its sequence. To be freed.
 */
static char *line_label(const char *text)
{
	static const char knock[] = "knock ";
	size_t length = strlen(knock);

	if (strncmp(text, knock, length))
		return strdup(text);
	return strndup(text, length + strcspn(text + length, " "));
}

/* Without memory a line is missing or has no text, which collect_lines() detects. */
static void keep_line(const struct line_view *line, void *data)
{
	struct interface_metrics *iface = data;

	if (array_reserve(&iface->lines, &iface->line_room, iface->line_count,
			  sizeof(*iface->lines)))
		return;
	iface->lines[iface->line_count++] = (struct line_metrics){
		.text = line_label(line->text), .verdict = line->verdict, .tally = *line->tally
	};
}

static int compare_lines(const void *left, const void *right)
{
	const struct line_metrics *a = left, *b = right;

	return strcmp(a->text, b->text) ?: (int)a->verdict - (int)b->verdict;
}

/* A ruleset may have the same rule twice, but Prometheus rejects duplicate series. */
static void merge_lines(struct interface_metrics *iface)
{
	struct line_metrics *kept = iface->lines;

	qsort(iface->lines, iface->line_count, sizeof(*iface->lines), compare_lines);
	for (size_t i = 1; i < iface->line_count; i++) {
		struct line_metrics *line = &iface->lines[i];

		if (compare_lines(kept, line)) {
			*++kept = *line;
			continue;
		}
		kept->tally.packets += line->tally.packets;
		kept->tally.bytes += line->tally.bytes;
		free(line->text);
	}
	iface->line_count = kept + 1 - iface->lines;
}

static int collect_lines(struct interface_metrics *iface, const struct stats *stats,
			 const struct ruleset *ruleset)
{
	struct stats_view view = { .iface = iface->iface, .now = stats };
	size_t expected = ruleset->count + LINES_BUILTIN;

	for (size_t i = 0; i < ruleset->count; i++)
		expected += !!ruleset->rules[i].limit.count;
	output_each_line(&view, ruleset, keep_line, iface);
	for (size_t i = 0; i < iface->line_count; i++)
		expected -= !!iface->lines[i].text;
	if (expected)
		return -ENOMEM;
	merge_lines(iface);
	return 0;
}

static int collect_interfaces(struct metrics *metrics, const struct metrics_history *history)
{
	const struct snapshot *snapshot = &metrics->snapshot;
	int err = 0;

	metrics->interfaces = calloc(snapshot->dp.count + 1, sizeof(*metrics->interfaces));
	for (size_t i = 0; i < snapshot->dp.count && metrics->interfaces && !err; i++) {
		struct interface_metrics *iface = &metrics->interfaces[i];

		iface->iface = &snapshot->dp.interfaces[i];
		iface->ports = &history->interfaces[i].ports;
		metrics->interface_count++;
		err = collect_lines(iface, &snapshot->stats[i], &snapshot->ruleset);
	}
	return metrics->interfaces ? err : -ENOMEM;
}

static int count_grants(struct metrics *metrics, const __u32 *numbers)
{
	cleanup_free struct granted *list = NULL;
	size_t count;
	int err = datapath_grants(&metrics->snapshot.dp, &list, &count);

	for (size_t i = 0; i < count && !err; i++) {
		for (size_t d = 0; d < metrics->door_count; d++)
			metrics->doors[d].grants += list[i].key.door == numbers[d];
	}
	return err;
}

static int collect_doors(struct metrics *metrics)
{
	const struct ruleset *ruleset = &metrics->snapshot.ruleset;
	__u32 numbers[MAX_DOORS];
	int err = 0;

	metrics->doors = calloc(MAX_DOORS, sizeof(*metrics->doors));
	if (!metrics->doors)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->count && !err; i++) {
		const struct rule *rule = &ruleset->rules[i];
		struct door_metrics *door = &metrics->doors[metrics->door_count];

		if (!rule->knock || metrics->door_count == MAX_DOORS)
			continue;
		numbers[metrics->door_count++] = rule->door;
		door->name = rule->knock->name;
		err = datapath_door_counts(&metrics->snapshot.dp, rule->door, &door->counts);
	}
	return err ?: count_grants(metrics, numbers);
}

static int count_lockouts(struct metrics *metrics)
{
	cleanup_free struct locked_out *list = NULL;

	return datapath_lockouts(&metrics->snapshot.dp, &list, &metrics->lockouts);
}

/* Like `status` and `list`, this counts no expired rules. */
static size_t count_rules(const struct ruleset *ruleset, __u64 now)
{
	size_t count = 0;

	for (size_t i = 0; i < ruleset->count; i++)
		count += !ruleset->rules[i].ends || now < ruleset->rules[i].ends;
	return count;
}

int metrics_collect(struct metrics *metrics, struct metrics_history *history, size_t max_ports)
{
	const struct datapath *dp = &metrics->snapshot.dp;
	__u64 begun = since_boot();
	int err;

	*metrics = (struct metrics){ 0 };
	err = snapshot_take(&metrics->snapshot);
	if (!err)
		err = collect_doors(metrics) ?: count_lockouts(metrics);
	if (!err)
		err = datapath_refused_flows(dp, &metrics->flows_refused)
			      ?: datapath_event_counts(dp, metrics->events);
	if (err)
		return err;
	metrics->pending = datapath_pending(dp);
	metrics->rules = count_rules(&metrics->snapshot.ruleset, begun);
	err = history_update(history, &metrics->snapshot, max_ports)
		      ?: collect_interfaces(metrics, history)
		      ?: metrics_collect_listening(metrics, history, max_ports);
	if (err)
		return fail(err, "cannot collect the metrics: %s", strerror(-err));
	metrics->seconds = (since_boot() - begun) / 1e9;
	return 0;
}

void metrics_clear(struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->interface_count; i++) {
		struct interface_metrics *iface = &metrics->interfaces[i];

		for (size_t l = 0; l < iface->line_count; l++)
			free(iface->lines[l].text);
		free(iface->lines);
		free(iface->listening);
	}
	free(metrics->interfaces);
	free(metrics->doors);
	snapshot_clear(&metrics->snapshot);
	*metrics = (struct metrics){ 0 };
}
