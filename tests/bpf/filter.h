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

#include "compile.h"
#include "datapath_load.h"
#include "forget.h"
#include "packet_builder.h"
#include "ruleset.h"
#include "tap.h"
#include "util.h"

struct filter {
	struct portctl_bpf *program;
	__u32 copies;
	struct counters *counters; /* as they are, and as they last were */
	struct counters *before;
	struct ruleset ruleset;
	const char *rules; /* its text */
};

/* A tally that is not what it was. */
struct change {
	__u32 copy;
	__u32 index; /* a line, or a port key */
	struct tally grew;
};

/* All that one run changed: how many tallies, and the first of them. */
struct changes {
	unsigned int line_count;
	unsigned int port_count;
	unsigned int stray; /* counters' memory that is no tally */
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
 * KVM most of all, that it is loaded once for each number of copies that follow each other.
 */
static struct {
	struct portctl_bpf *program;
	__u32 copies;
} spare;

/* Loads the program as attaching does, but with this many copies of the counters. */
static inline struct portctl_bpf *load_program(__u32 copies)
{
	struct portctl_bpf *program = portctl_bpf__open();

	if (!program || bpf_map__set_max_entries(program->maps.counters, copies))
		tap_bail("cannot open the program: %s", strerror(errno));
	*(__u64 *)&program->rodata->ticks_per_second = ticks_per_second();
	if (portctl_bpf__load(program))
		tap_bail("cannot load the program: %s", strerror(errno));
	return program;
}

/* The program with maps in which nothing is, in place of filter_close() one that was used. */
static inline void filter_load(struct filter *filter, __u32 copies)
{
	struct portctl_bpf *program = spare.program;
	size_t size = copies * sizeof(*filter->counters);

	if (program && spare.copies == copies) {
		forget_all(program);
		spare.program = NULL;
	} else {
		program = load_program(copies);
	}
	set_secret(program);
	*filter = (struct filter){
		.program = program,
		.copies = copies,
		.counters = map_memory(program->maps.counters, size),
		.before = calloc(1, size),
	};
	if (!filter->before)
		tap_bail("out of memory");
	ruleset_init(&filter->ruleset);
}

static inline void filter_close(struct filter *filter)
{
	munmap(filter->counters, filter->copies * sizeof(*filter->counters));
	free(filter->before);
	ruleset_clear(&filter->ruleset);
	portctl_bpf__destroy(spare.program);
	spare.program = filter->program;
	spare.copies = filter->copies;
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

/* Finds the tallies that changed, and remembers them as they are now. */
static inline unsigned int find_changes(const struct tally *now, struct tally *before,
					size_t count, __u32 copy, struct change *first)
{
	enum { STEP = 256 }; /* nearly nothing changes: ask about many at a time */
	unsigned int changes = 0;

	for (size_t i = 0; i < count; i++) {
		size_t step = count - i < STEP ? count - i : STEP;

		if (i % STEP == 0 && !memcmp(&now[i], &before[i], step * sizeof(*now))) {
			i += step - 1;
			continue;
		}
		if (same_tally(&now[i], &before[i]))
			continue;
		if (!first->grew.packets)
			*first = (struct change){
				.copy = copy,
				.index = i,
				.grew.packets = now[i].packets - before[i].packets,
				.grew.bytes = now[i].bytes - before[i].bytes,
			};
		before[i] = now[i];
		changes++;
	}
	return changes;
}

/* What changed in all the counters, in all their copies, since the last call. */
static inline void filter_changes(struct filter *filter, struct changes *changes)
{
	*changes = (struct changes){ 0 };
	for (__u32 copy = 0; copy < filter->copies; copy++) {
		struct counters *now = &filter->counters[copy];
		struct counters *before = &filter->before[copy];

		changes->line_count +=
			find_changes(now->line, before->line, MAX_LINES, copy, &changes->line);
		changes->port_count +=
			find_changes(now->pass, before->pass, PORT_KEYS, copy, &changes->pass);
		changes->port_count +=
			find_changes(now->drop, before->drop, PORT_KEYS, copy, &changes->drop);
		changes->stray += !!memcmp(&now->move, &before->move, sizeof(now->move));
		before->move = now->move;
	}
}

/* Where this CPU counts. */
static inline __u32 copy_of_cpu(const struct filter *filter, __u32 cpu)
{
	return COPY_FIRST_CPU + cpu < filter->copies ? COPY_FIRST_CPU + cpu : COPY_SHARED;
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
