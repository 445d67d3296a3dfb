/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program under test, loaded but not attached: filter_rules() sets the rules, filter_run()
 * runs a frame through it, and filter_changes() finds all counters that changed.
 */
#ifndef FILTER_H
#define FILTER_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "compile/compile.h"
#include "kernel/counters.h"
#include "kernel/datapath_load.h"
#include "forget.h"
#include "packet_builder.h"
#include "rules/ruleset.h"
#include "compile/check.h"
#include "compile/image.h"
#include "compile/lines.h"
#include "rules/ruleset_parse.h"
#include "tap.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define SECOND 1000000000ull /* nanoseconds */

/* Nanoseconds of a clock. */
static inline __u64 clock_time(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

struct filter {
	struct portctl_bpf *program;
	struct interface now; /* the counters, mapped */
	struct interface before; /* a copy, from the last filter_changes() */
	struct ruleset ruleset;
	const char *rules; /* the ruleset's text */
};

/* Which counters: those that all CPUs share, or those of one CPU. */
enum place { PLACE_SHARED, PLACE_FIRST_CPU };

/* A counter that changed. */
struct change {
	__u32 place; /* PLACE_SHARED, or PLACE_FIRST_CPU plus the CPU's number */
	__u32 index; /* a line, or a port key */
	struct tally grew;
};

/* The counters that changed: how many, and the first of each kind. */
struct changes {
	unsigned int line_count;
	unsigned int port_count;
	unsigned int stray; /* changes beside the counters, in the same memory */
	struct change line;
	struct change pass; /* a port's counter of passed packets */
	struct change drop; /* a port's counter of dropped packets */
};

/* Sets the secret that keys the hashes. Any will do, except zero. */
static inline void set_secret(struct portctl_bpf *program)
{
	__u32 *secret = (__u32 *)program->data_control->control.secret;

	for (__u32 i = 0; i < ARRAY_SIZE(program->data_control->control.secret); i++)
		secret[i] = (i + 1) * 2654435761u;
}

/*
 * A loaded program that is not in use. Loading is slow, above all in a guest without KVM, so
 * the next filter_load() with the same number of CPUs uses this program again.
 */
static struct {
	struct portctl_bpf *program;
	__u32 cpus;
} spare;

/* Loads the program as attaching does, with per-CPU counters for the first `cpus` CPUs. */
static inline struct portctl_bpf *load_program(__u32 cpus)
{
	struct portctl_bpf *program = portctl_bpf__open();

	if (!program || bpf_map__set_max_entries(program->maps.cpu_counters, cpus))
		tap_bail("cannot open the program: %s", strerror(errno));
	*(__u64 *)&program->rodata->ticks_per_second = ticks_per_second();
	if (portctl_bpf__load(program))
		tap_bail("cannot load the program: %s", strerror(errno));
	return program;
}

/* Loads the program with empty maps and per-CPU counters for the first `cpus` CPUs. */
static inline void filter_load(struct filter *filter, __u32 cpus)
{
	struct portctl_bpf *program = spare.program;
	size_t size = cpus * sizeof(struct cpu_counters);

	if (program && spare.cpus == cpus) {
		reset_maps(program);
		spare.program = NULL;
	} else {
		program = load_program(cpus);
	}
	set_secret(program);
	*filter = (struct filter){
		.program = program,
		.now.cpus = cpus,
		.now.counters = map_memory(program->maps.counters, sizeof(struct counters)),
		.now.cpu_counters = map_memory(program->maps.cpu_counters, size),
		.before.cpus = cpus,
		.before.counters = calloc(1, sizeof(struct counters)),
		.before.cpu_counters = calloc(1, size),
	};
	if (!filter->before.counters || !filter->before.cpu_counters)
		tap_bail("out of memory");
	ruleset_init(&filter->ruleset);
}

/* Frees the filter. The program stays loaded for the next filter_load(). */
static inline void filter_close(struct filter *filter)
{
	munmap(filter->now.counters, sizeof(struct counters));
	munmap(filter->now.cpu_counters, filter->now.cpus * sizeof(struct cpu_counters));
	free(filter->before.counters);
	free(filter->before.cpu_counters);
	ruleset_clear(&filter->ruleset);
	portctl_bpf__destroy(spare.program);
	spare.program = filter->program;
	spare.cpus = filter->before.cpus;
}

/* Fills one slot with a compiled ruleset, and clears the other. */
static inline void filter_image(struct filter *filter, unsigned int slot, struct image *image)
{
	struct generation *table = filter->program->bss->table;
	struct slot_maps maps = slot_maps_of(filter->program, NULL, "");
	int err = slot_set(&maps, table, slot, image);

	if (err)
		tap_bail("cannot fill the slot: %s", strerror(-err));
	memset(&table[!slot], 0, sizeof(table[!slot]));
}

/* Rules with "for 1s" have expired; those with a longer time never expire. */
static inline void set_ends(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		if (rule->seconds)
			rule->ends = rule->seconds == 1 ? 1 : ~0ull;
	}
}

/* Compiles rules for the interface test0 and fills one slot with them. */
static inline void filter_rules(struct filter *filter, unsigned int slot, const char *rules)
{
	cleanup_free struct image *image = calloc(1, sizeof(*image));
	struct report report = { .out = stdout, .file = "# rules" };
	struct ruleset none;

	ruleset_init(&none);
	ruleset_clear(&filter->ruleset);
	filter->rules = rules;
	if (!image || ruleset_parse(&filter->ruleset, rules, &report) ||
	    ruleset_check(&filter->ruleset, filter->ruleset.count, &report) ||
	    assign_lines(&filter->ruleset, &none))
		tap_bail("cannot use these rules: %s", rules);
	set_ends(&filter->ruleset);
	if (compile(&filter->ruleset, "test0", image, NULL))
		tap_bail("cannot compile these rules: %s", rules);
	filter_image(filter, slot, image);
	image_clear(image);
}

/* Makes slot `generation & 1` the active one. */
static inline void filter_generation(struct filter *filter, __u32 generation)
{
	filter->program->data_control->control.generation = generation;
}

/*
 * Runs a frame through the program `repeat` times. Returns 0 or a negative errno: -EINVAL if
 * the frame has a size for its first buffer, which Linux before 6.18 cannot set.
 */
static inline int filter_run(const struct filter *filter, const struct frame *frame,
			     unsigned int repeat, __u32 *verdict)
{
	struct xdp_md context = { .data_end = frame->first_buffer };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes,
		    .data_size_in = frame->length, .repeat = repeat);
	int err;

	if (frame->first_buffer) {
		opts.ctx_in = &context;
		opts.ctx_size_in = sizeof(context);
	}
	err = bpf_prog_test_run_opts(bpf_program__fd(filter->program->progs.portctl), &opts);
	*verdict = opts.retval;
	return err;
}

static inline bool same_tally(const struct tally *a, const struct tally *b)
{
	return a->packets == b->packets && a->bytes == b->bytes;
}

/* Reads a shared counter (struct tally) or a per-CPU counter (count_t), by its size. */
static inline struct tally tally_at(const void *counter, size_t size)
{
	return size == sizeof(count_t) ? count_tally(*(const count_t *)counter)
				       : *(const struct tally *)counter;
}

/*
 * Returns how many of `count` counters differ from `before`, and updates that copy. *first is
 * the first change.
 */
static inline unsigned int find_changes(const void *now, void *before, size_t size,
					size_t count, __u32 place, struct change *first)
{
	enum { STEP = 256 }; /* few counters change: compare this many at once */
	unsigned int changes = 0;

	for (size_t i = 0; i < count; i++) {
		size_t step = count - i < STEP ? count - i : STEP;
		const void *here = now + i * size;
		void *last = before + i * size;
		struct tally is = tally_at(here, size), was = tally_at(last, size);

		if (i % STEP == 0 && !memcmp(here, last, step * size)) {
			i += step - 1;
			continue;
		}
		if (same_tally(&is, &was))
			continue;
		if (!first->grew.packets)
			*first = (struct change){
				.place = place,
				.index = i,
				.grew.packets = is.packets - was.packets,
				.grew.bytes = is.bytes - was.bytes,
			};
		memcpy(last, here, size);
		changes++;
	}
	return changes;
}

static inline void find_shared_changes(struct filter *filter, struct changes *changes)
{
	const struct counters *now = filter->now.counters;
	struct counters *before = filter->before.counters;
	size_t size = sizeof(struct tally);

	changes->line_count += find_changes(now->line, before->line, size, MAX_LINES,
					    PLACE_SHARED, &changes->line);
	changes->port_count += find_changes(now->pass, before->pass, size, PORT_KEYS,
					    PLACE_SHARED, &changes->pass);
	changes->port_count += find_changes(now->drop, before->drop, size, PORT_KEYS,
					    PLACE_SHARED, &changes->drop);
	changes->stray += !!memcmp(&now->move, &before->move, sizeof(now->move));
	before->move = now->move;
}

static inline void find_cpu_changes(struct filter *filter, __u32 cpu, struct changes *changes)
{
	const struct cpu_counters *now = &filter->now.cpu_counters[cpu];
	struct cpu_counters *before = &filter->before.cpu_counters[cpu];
	__u32 place = PLACE_FIRST_CPU + cpu;
	size_t size = sizeof(count_t);

	changes->line_count +=
		find_changes(now->line, before->line, size, MAX_LINES, place, &changes->line);
	changes->port_count +=
		find_changes(now->pass, before->pass, size, PORT_KEYS, place, &changes->pass);
	changes->port_count +=
		find_changes(now->drop, before->drop, size, PORT_KEYS, place, &changes->drop);
}

/* Finds the counters that changed since the last call, the shared and the per-CPU ones. */
static inline void filter_changes(struct filter *filter, struct changes *changes)
{
	*changes = (struct changes){ 0 };
	find_shared_changes(filter, changes);
	for (__u32 cpu = 0; cpu < filter->now.cpus; cpu++)
		find_cpu_changes(filter, cpu, changes);
}

/* Sets all counters to zero, so that no per-CPU counter gets full. */
static inline void filter_zero(struct filter *filter)
{
	size_t size = filter->now.cpus * sizeof(struct cpu_counters);

	memset(filter->now.counters, 0, sizeof(struct counters));
	memset(filter->before.counters, 0, sizeof(struct counters));
	memset(filter->now.cpu_counters, 0, size);
	memset(filter->before.cpu_counters, 0, size);
}

/* Returns where a CPU counts: in its own counters, or in the shared ones if it has none. */
static inline __u32 place_of_cpu(const struct filter *filter, __u32 cpu)
{
	return cpu < filter->now.cpus ? PLACE_FIRST_CPU + cpu : PLACE_SHARED;
}

/* Pins the process to a CPU, so that its counters grow. Returns false if it may not use it. */
static inline bool pin_to_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

#endif
