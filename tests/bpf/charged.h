/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs a frame and checks its verdict, and the line and port counter it is charged to. */
#ifndef CHARGED_H
#define CHARGED_H

#include "filter.h"
#include "rules/names.h"

/* The CPU to which this process is pinned. */
static unsigned int cpu;

/* Pins the process to the first CPU that it may use. */
static inline void pin_to_first_cpu(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		tap_bail("cannot read the CPU affinity: %s", strerror(errno));
	while (!CPU_ISSET(cpu, &cpus))
		cpu++;
	pin_to_cpu(cpu);
}

/* Returns the built-in line with this name and verdict, or LINES_BUILTIN if there is none. */
static inline __u32 builtin_line(const char *name, enum verdict verdict)
{
	enum line line = LINE_NOT_IP;

	while (line < LINES_BUILTIN &&
	       (strcmp(name, line_name(line)) || line_verdict(line) != verdict))
		line++;
	return line;
}

/* The counter that changed must be the expected one, and have grown by one packet. */
static inline void check_change(const char *what, const struct change *change, __u32 place,
				__u32 index, __u32 bytes)
{
	if (change->index != index)
		tap_wrong("%s %u was charged, not %u", what, change->index, index);
	if (change->grew.packets != 1 || change->grew.bytes != bytes)
		tap_wrong("the %s grew by %llu packets, %llu bytes; not by 1, %u", what,
			  change->grew.packets, change->grew.bytes, bytes);
	if (change->place != place)
		tap_wrong("the %s grew in place %u, not %u", what, change->place, place);
}

static inline void check_changes(struct filter *filter, const struct frame *frame,
				 enum verdict verdict, __u32 line, __u32 key)
{
	__u32 place = place_of_cpu(filter, cpu);
	struct changes changes;

	filter_changes(filter, &changes);
	if (changes.line_count != 1)
		tap_wrong("%u lines were charged", changes.line_count);
	check_change("line", &changes.line, place, line, frame->length);
	if (changes.port_count != (key < PORT_KEYS))
		tap_wrong("%u port counters were charged", changes.port_count);
	if (key < PORT_KEYS)
		check_change("port counter",
			     verdict == VERDICT_PASS ? &changes.pass : &changes.drop, place,
			     key, frame->length);
	if (changes.stray)
		tap_wrong("the program wrote memory that only userspace writes");
}

/*
 * Runs a frame, and expects `verdict`, and one packet charged to `line` and to the port counter
 * `key` (none if `key` is NO_PORT). Returns false if this kernel cannot run such a frame.
 */
static inline bool check_frame(struct filter *filter, const struct frame *frame,
			       enum verdict verdict, __u32 line, __u32 key)
{
	__u32 got;
	int err = filter_run(filter, frame, 1, &got);

	if (err == -EINVAL && frame->first_buffer)
		return false;
	if (err) {
		tap_wrong("the frame could not be run: %s", strerror(-err));
		return true;
	}
	if (got != verdict)
		tap_wrong("the verdict was %u, not %u", got, verdict);
	check_changes(filter, frame, verdict, line, key);
	return true;
}

/* Loads the program with these rules. All maps are empty: counters, limits, flows. */
static inline void load_rules(struct filter *filter, const char *rules)
{
	filter_load(filter, cpu + 1);
	filter_generation(filter, 0);
	filter_rules(filter, 0, rules);
}

/* Returns the line: "#2" is the second rule's, "#2 limited" that of packets over its limit. */
static inline __u32 rule_line(const struct filter *filter, const char *name,
			      enum verdict verdict)
{
	char *end;
	size_t number;

	if (*name != '#')
		return builtin_line(name, verdict);
	number = strtoul(name + 1, &end, 10);
	if (!number || number > filter->ruleset.count)
		tap_bail("no rule %s in \"%s\"", name, filter->rules);
	return *end ? filter->ruleset.rules[number - 1].limited_line
		    : filter->ruleset.rules[number - 1].line;
}

static inline void expect(struct filter *filter, const struct frame *frame,
			  enum verdict verdict, const char *line, __u32 key)
{
	check_frame(filter, frame, verdict, rule_line(filter, line, verdict), key);
}

static inline void build_tcp(struct frame *frame, __u16 port)
{
	build(frame, (const struct layer[LAYERS_MAX]){ IP4(), TCP(port) });
}

#define BUILD(frame, ...) build(frame, (const struct layer[LAYERS_MAX]){ __VA_ARGS__ })

#endif
