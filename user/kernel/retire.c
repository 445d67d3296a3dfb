// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a rule is gone, another rule may get its line. What the line has counted moves first to
 * one of the "removed" lines, which no packet is charged to, so that all lines still add up to
 * the packets seen.
 */
#include <errno.h>
#include <sys/param.h>

#include "base/cleanup.h"
#include "kernel/counters.h"
#include "kernel/datapath_internal.h"

/* Does the move that is noted in the counters. Doing it again changes nothing. */
static void finish_move(struct interface *iface)
{
	struct counters *counters = iface->counters;
	struct line_move *move = &counters->move;

	counters->line[move->to] = move->sum;
	counters->line[move->from] = (struct tally){ 0 };
	for (size_t cpu = 0; cpu < iface->cpus; cpu++)
		iface->cpu_counters[cpu].line[move->from] = 0;
	__atomic_store_n(&move->from, 0, __ATOMIC_RELEASE);
}

/*
 * Moves the counts of line `from` to line `to`. The note is written before anything moves, so
 * that a kill in the middle leaves a move to be finished, and nothing is counted twice.
 */
static void move_line(struct interface *iface, __u32 from, __u32 to)
{
	struct counters *counters = iface->counters;
	struct line_move *move = &counters->move;
	struct tally counted = counter_line(iface, from);

	if (!counted.packets)
		return;
	move->to = to;
	move->sum.packets = counters->line[to].packets + counted.packets;
	move->sum.bytes = counters->line[to].bytes + counted.bytes;
	__atomic_store_n(&move->from, from, __ATOMIC_RELEASE);
	finish_move(iface);
}

/* Whether a line that a rule of the other slot had belongs to no active rule. */
static bool is_gone(__u32 line, const unsigned char *in_use)
{
	return line && line < MAX_LINES && !in_use[line];
}

static void retire_rule(struct interface *iface, const struct stored_rule *rule,
			const unsigned char *in_use)
{
	__u32 to = rule->verdict == VERDICT_PASS ? LINE_REMOVED_PASS : LINE_REMOVED_DROP;

	if (is_gone(rule->line, in_use))
		move_line(iface, rule->line, to);
	if (is_gone(rule->limited_line, in_use))
		move_line(iface, rule->limited_line, LINE_REMOVED_DROP);
}

/*
 * Maps the counters of `lines` lines. If a move was interrupted, maps its lines too and
 * finishes it.
 */
static int finish_on(const struct datapath *dp, struct interface *iface, __u32 lines)
{
	const struct line_move *move;
	int err = interface_map_counters(dp, iface, MAX(lines, LINE_FIRST_RULE));

	if (err)
		return err;
	move = &iface->counters->move;
	if (!move->from)
		return 0;
	err = interface_map_counters(dp, iface,
				     MAX(iface->mapped, MAX(move->from, move->to) + 1));
	if (!err)
		finish_move(iface);
	return err;
}

static int finish_all(struct datapath *dp, __u32 lines)
{
	int err = 0;

	for (size_t i = 0; i < dp->count && !err; i++)
		err = finish_on(dp, &dp->interfaces[i], lines);
	return err;
}

int retire_finish(struct datapath *dp)
{
	return finish_all(dp, 0);
}

/* An array that has 1 for each line of the ruleset's rules, or NULL. */
static unsigned char *lines_in_use(const struct ruleset *ruleset)
{
	unsigned char *in_use = calloc(MAX_LINES, 1);

	for (size_t i = 0; i < ruleset->count && in_use; i++) {
		in_use[ruleset->rules[i].line] = 1;
		in_use[ruleset->rules[i].limited_line] = 1;
	}
	return in_use;
}

/* The number of lines up to and including the last line of these rules. */
static __u32 lines_up_to(const struct stored_rule *rules, size_t count)
{
	__u32 lines = 0;

	for (size_t i = 0; i < count; i++)
		lines = MAX(lines, MAX(rules[i].line, rules[i].limited_line) + 1);
	return MIN(lines, MAX_LINES);
}

int retire_rules(struct datapath *dp, const struct ruleset *active)
{
	cleanup_free unsigned char *in_use = lines_in_use(active);
	cleanup_free struct stored_rule *rules = NULL;
	size_t count, first = 0;
	int err = datapath_previous(dp, &rules, &count);

	if (err || !in_use)
		return err ?: -ENOMEM;
	while (first < count && !is_gone(rules[first].line, in_use) &&
	       !is_gone(rules[first].limited_line, in_use))
		first++;
	if (first == count)
		return 0;
	err = finish_all(dp, lines_up_to(rules, count));
	for (size_t n = 0; n < dp->count && !err; n++) {
		for (size_t i = first; i < count; i++)
			retire_rule(&dp->interfaces[n], &rules[i], in_use);
	}
	return err;
}
