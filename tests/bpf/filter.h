/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program under test, loaded but attached to nothing: rules go in, a frame
 * goes through, and what changed in the whole of the counters comes out.
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
#include <unistd.h>

#include "compile/compile.h"
#include "kernel/counters.h"
#include "kernel/datapath_load.h"
#include "forget.h"
#include "packet_builder.h"
#include "rules/ruleset.h"
#include "tap.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"

struct filter {
	struct portctl_bpf *program;
	struct interface now; /* the counters, as they are and as they last were */
	struct interface before;
	struct ruleset ruleset;
	const char *rules; /* its text */
};

/* Where something is counted: for all CPUs, or for one of them. */
enum place { PLACE_SHARED, PLACE_FIRST_CPU };

/* A counter that is not what it was. */
struct change {
	__u32 place; /* PLACE_SHARED, or PLACE_FIRST_CPU + a CPU */
	__u32 index; /* a line, or a port key */
	struct tally grew;
};

/* All that one run changed: how many counters, and the first of them. */
struct changes {
	unsigned int line_count;
	unsigned int port_count;
	unsigned int stray; /* counters' memory that is no counter */
	struct change line;
	struct change pass; /* of ports */
	struct change drop;
};

/* The key of the tags of flows; any will do, but none has zeros only. */
static inline void set_secret(struct portctl_bpf *program)
{
	__u32 *secret = (__u32 *)program->data_control->control.secret;

	for (__u32 i = 0; i < ARRAY_SIZE(program->data_control->control.secret); i++)
		secret[i] = (i + 1) * 2654435761u;
}

/*
 * A program that was loaded and is not in use: loading takes so long, in a guest without
 * KVM most of all, that it is loaded once for each number of CPUs that follow each other.
 */
static struct {
	struct portctl_bpf *program;
	__u32 cpus;
} spare;

/* Loads the program as attaching does, but with counters of their own for so many CPUs. */
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

/* The program with maps in which nothing is, in place of filter_close() one that was used. */
static inline void filter_load(struct filter *filter, __u32 cpus)
{
	struct portctl_bpf *program = spare.program;
	size_t size = cpus * sizeof(struct cpu_counters);

	if (program && spare.cpus == cpus) {
		forget_all(program);
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

/* Fills one slot with a compiled ruleset and leaves the other as if never written. */
static inline void filter_image(struct filter *filter, unsigned int slot, struct image *image)
{
	struct generation *table = filter->program->bss->table;
	struct slot_maps maps = slot_maps_of(filter->program, NULL, "");
	int err = slot_set(&maps, table, slot, image);

	if (err)
		tap_bail("cannot fill the slot: %s", strerror(-err));
	memset(&table[!slot], 0, sizeof(table[!slot]));
}

/* "for 1s" has ended long ago; whatever is for longer has not. */
static inline void set_ends(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		if (rule->seconds)
			rule->ends = rule->seconds == 1 ? 1 : ~0ull;
	}
}

/* The same with a ruleset's text, for the interface test0. */
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

/* Makes slot `generation & 1` the one that judges. */
static inline void filter_generation(struct filter *filter, __u32 generation)
{
	filter->program->data_control->control.generation = generation;
}

/*
 * Runs a frame through the program `repeat` times. Returns 0 or a negative errno:
 * -EINVAL where the kernel is too old to be told the size of the first buffer.
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

/* Of a counter of this size: a tally, or a CPU's word. */
static inline struct tally tally_at(const void *counter, size_t size)
{
	return size == sizeof(count_t) ? count_tally(*(const count_t *)counter)
				       : *(const struct tally *)counter;
}

/* Finds the counters that changed, and remembers them as they are now. */
static inline unsigned int find_changes(const void *now, void *before, size_t size,
					size_t count, __u32 place, struct change *first)
{
	enum { STEP = 256 }; /* nearly nothing changes: ask about many at a time */
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

/* What changed in all the counters, for all CPUs and for each, since the last call. */
static inline void filter_changes(struct filter *filter, struct changes *changes)
{
	*changes = (struct changes){ 0 };
	find_shared_changes(filter, changes);
	for (__u32 cpu = 0; cpu < filter->now.cpus; cpu++)
		find_cpu_changes(filter, cpu, changes);
}

/* All of them from zero, so that none gets full. */
static inline void filter_zero(struct filter *filter)
{
	size_t size = filter->now.cpus * sizeof(struct cpu_counters);

	memset(filter->now.counters, 0, sizeof(struct counters));
	memset(filter->before.counters, 0, sizeof(struct counters));
	memset(filter->now.cpu_counters, 0, size);
	memset(filter->before.cpu_counters, 0, size);
}

/* Where this CPU counts. */
static inline __u32 place_of_cpu(const struct filter *filter, __u32 cpu)
{
	return cpu < filter->now.cpus ? PLACE_FIRST_CPU + cpu : PLACE_SHARED;
}

/* Stays on one CPU, so that it is known whose copy grows; false if there is none. */
static inline bool pin_to_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

#endif
