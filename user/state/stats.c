// SPDX-License-Identifier: GPL-2.0-only
#include "state/stats.h"

#include <errno.h>

#include "kernel/counters.h"
#include "base/array.h"
#include "base/cleanup.h"

static void tally_add(struct tally *sum, const struct tally *part)
{
	sum->packets += part->packets;
	sum->bytes += part->bytes;
}

static void read_ports(const struct interface *iface, struct port_counter *ports)
{
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		ports[key].pass = counter_pass(iface, key);
		ports[key].drop = counter_drop(iface, key);
	}
}

static struct tally read_line(const struct interface *iface, __u32 line)
{
	const struct line_move *move = &iface->counters->move;

	/* A change that was killed may have left a move half done: count it as done. */
	if (move->from && line == move->to)
		return move->sum;
	if (move->from && line == move->from)
		return (struct tally){ 0 };
	return counter_line(iface, line);
}

void stats_rules(const struct interface *iface, const struct ruleset *ruleset,
		 struct tally *counts)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		struct tally sum = read_line(iface, ruleset->rules[i].line);

		tally_add(&counts[i], &sum);
	}
}

static void add_removed(const struct interface *iface, __u32 line, const unsigned char *in_use,
			struct tally *removed)
{
	struct tally sum;

	if (!line || line >= MAX_LINES || in_use[line])
		return;
	sum = read_line(iface, line);
	tally_add(removed, &sum);
}

/* Rules that are gone keep their lines until the next change reuses them. */
static int sum_removed(const struct interface *iface, const struct ruleset *ruleset,
		       const struct stored_rule *gone, size_t gone_count, struct stats *stats)
{
	cleanup_free unsigned char *in_use = calloc(MAX_LINES, 1);
	struct tally *dropped = &stats->builtin[LINE_REMOVED_DROP];

	if (!in_use)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->count; i++) {
		in_use[ruleset->rules[i].line] = 1;
		in_use[ruleset->rules[i].limited_line] = 1;
	}
	for (size_t i = 0; i < gone_count; i++) {
		bool passed = gone[i].verdict == VERDICT_PASS;

		add_removed(iface, gone[i].line, in_use,
			    passed ? &stats->builtin[LINE_REMOVED_PASS] : dropped);
		add_removed(iface, gone[i].limited_line, in_use, dropped);
	}
	return 0;
}

static void sum_total(const struct ruleset *ruleset, struct stats *stats)
{
	struct port_counter *total = &stats->total;

	for (enum line line = 0; line < LINES_BUILTIN; line++)
		tally_add(line_verdict(line) == VERDICT_PASS ? &total->pass : &total->drop,
			  &stats->builtin[line]);
	for (size_t i = 0; i < ruleset->count; i++) {
		tally_add(ruleset->rules[i].action == VERDICT_PASS ? &total->pass
								   : &total->drop,
			  &stats->rules[i]);
		tally_add(&total->drop, &stats->limited[i]);
	}
}

int stats_collect(const struct interface *iface, const struct ruleset *ruleset,
		  const struct stored_rule *gone, size_t gone_count, struct stats *stats)
{
	int err;

	*stats = (struct stats){
		.ports = large_calloc(PORT_KEYS, sizeof(*stats->ports)),
		.rules = calloc(ruleset->count + 1, sizeof(*stats->rules)),
		.limited = calloc(ruleset->count + 1, sizeof(*stats->limited)),
	};
	if (!stats->ports || !stats->rules || !stats->limited)
		return -ENOMEM;
	read_ports(iface, stats->ports);
	for (enum line line = 0; line < LINES_BUILTIN; line++)
		stats->builtin[line] = read_line(iface, line);
	stats_rules(iface, ruleset, stats->rules);
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].limited_line)
			stats->limited[i] = read_line(iface, ruleset->rules[i].limited_line);
	}
	err = sum_removed(iface, ruleset, gone, gone_count, stats);
	if (!err)
		sum_total(ruleset, stats);
	return err;
}

void stats_clear(struct stats *stats)
{
	free(stats->ports);
	free(stats->rules);
	free(stats->limited);
	*stats = (struct stats){ 0 };
}

double stats_rate(const struct tally *before, const struct tally *now, double seconds)
{
	if (now->packets <= before->packets || seconds <= 0)
		return 0;
	return (now->packets - before->packets) / seconds;
}

static bool is_selected(__u32 key, const struct term *wanted, size_t count)
{
	enum transport transport = key < PORT_KEY_UDP ? TRANSPORT_TCP : TRANSPORT_UDP;

	for (size_t i = 0; i < count; i++) {
		if (wanted[i].transports & transport && wanted[i].first <= key_port(key) &&
		    key_port(key) <= wanted[i].last)
			return true;
	}
	return !count;
}

/* A port and how busy it is. */
struct busy {
	__u64 packets;
	__u32 key;
};

/* Copies list to sorted, highest digit at bit `shift` first; equal digits keep their order. */
static void sort_digit(const struct busy *list, size_t count, int shift, struct busy *sorted)
{
	size_t places[256] = { 0 }, place = 0;

	for (size_t i = 0; i < count; i++)
		places[list[i].packets >> shift & 255]++;
	for (int digit = 255; digit >= 0; digit--) {
		size_t here = places[digit];

		places[digit] = place;
		place += here;
	}
	for (size_t i = 0; i < count; i++)
		sorted[places[list[i].packets >> shift & 255]++] = list[i];
}

/*
 * Sorts by packets, the busiest first; equals stay in order of their keys. A radix sort: with
 * comparisons, 131,072 ports would take longer than everything else here. `most` is the highest
 * number of packets, `other` has room for `count` more. Returns the sorted one of the two.
 */
static struct busy *sort_busy(struct busy *list, size_t count, __u64 most, struct busy *other)
{
	for (int shift = 0; shift < 64 && most >> shift; shift += 8) {
		struct busy *sorted = other;

		sort_digit(list, count, shift, sorted);
		other = list;
		list = sorted;
	}
	return list;
}

size_t stats_busiest(const struct port_counter *ports, const struct term *wanted,
		     size_t wanted_count, bool all, __u32 **keys)
{
	cleanup_free struct busy *list = large_calloc(2 * PORT_KEYS, sizeof(*list));
	struct busy *sorted;
	size_t count = 0;
	__u64 most = 0;

	*keys = malloc(PORT_KEYS * sizeof(**keys));
	if (!list || !*keys) {
		free(*keys);
		*keys = NULL;
		return 0;
	}
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		__u64 packets = port_packets(&ports[key]);

		if ((!all && !packets) || !is_selected(key, wanted, wanted_count))
			continue;
		list[count++] = (struct busy){ packets, key };
		most = packets > most ? packets : most;
	}
	sorted = sort_busy(list, count, most, list + PORT_KEYS);
	for (size_t i = 0; i < count; i++)
		(*keys)[i] = sorted[i].key;
	return count;
}
