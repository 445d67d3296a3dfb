// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/datapath_trial.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/datapath_internal.h"
#include "kernel/datapath_load.h"
#include "kernel/needs.h"

struct explainer {
	struct portctl_bpf *program;
};

int explainer_open(const struct datapath *dp, const char *iface, struct explainer **explainer)
{
	struct explainer *made = calloc(1, sizeof(*made));
	int err = made ? program_load(dp, iface, PURPOSE_EXPLAIN, &made->program)
		       : out_of_memory();

	if (err)
		explainer_free(made);
	else
		*explainer = made;
	return err;
}

int explainer_judge(struct explainer *explainer, const void *frame, size_t size,
		    struct judgement *judgement)
{
	struct inquiry *inquiry = (struct inquiry *)&explainer->program->data_inquiry->inquiry;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size,
		    .repeat = 1);

	inquiry->count = 0;
	if (bpf_prog_test_run_opts(bpf_program__fd(explainer->program->progs.explain), &opts))
		return fail(-errno, "the kernel does not run the program: %s",
			    datapath_reason(-errno));
	*judgement = (struct judgement){ .entry = opts.retval, .count = inquiry->count };
	memcpy(judgement->asked, inquiry->asked, sizeof(judgement->asked));
	return 0;
}

void explainer_free(struct explainer *explainer)
{
	if (explainer)
		portctl_bpf__destroy(explainer->program);
	free(explainer);
}

struct replayer {
	struct portctl_bpf *program;
	struct interface iface; /* holds the counters only */
	struct captured_frame *batch; /* BATCH_FRAMES, shared with the program */
	__u32 count; /* frames in the batch that are not judged yet */
	__u64 now; /* the latest time of any frame so far */
};

/* The time in a capture that was merged may go back; the clocks of the data path may not. */
static __u64 advance_clock(struct replayer *replayer, __u64 now)
{
	replayer->now = MAX(replayer->now, now);
	return replayer->now;
}

/* Returns NULL, with errno set, if the map cannot be mapped. */
static void *map_whole(const struct bpf_map *map, int protection)
{
	void *memory = mmap(NULL, bpf_map__max_entries(map) * bpf_map__value_size(map),
			    protection, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int map_maps(struct replayer *replayer)
{
	const struct portctl_bpf *program = replayer->program;
	struct interface *iface = &replayer->iface;

	iface->cpus = bpf_map__max_entries(program->maps.cpu_counters);
	iface->counters = map_whole(program->maps.counters, PROT_READ);
	iface->cpu_counters = map_whole(program->maps.cpu_counters, PROT_READ);
	replayer->batch = map_whole(program->maps.batch, PROT_READ | PROT_WRITE);
	return iface->counters && iface->cpu_counters && replayer->batch ? 0 : -errno;
}

static int fill_replayer(struct replayer *replayer, const char *iface,
			 const struct ruleset *ruleset)
{
	struct slot_maps maps = slot_maps_of(replayer->program, NULL, iface);
	int err = slot_fill(&maps, iface, replayer->program->bss->table, 0, ruleset);

	err = err ?: map_maps(replayer);
	return err ? fail(err, "cannot replay: %s", datapath_reason(err)) : 0;
}

int replayer_open(const char *iface, const struct ruleset *ruleset, struct replayer **replayer)
{
	struct replayer *made = calloc(1, sizeof(*made));
	int err = made ? program_load(NULL, iface, PURPOSE_REPLAY, &made->program)
		       : out_of_memory();

	if (!err) {
		made->iface.mode = "replay";
		strncpy(made->iface.name, iface, IFNAMSIZ - 1);
		err = fill_replayer(made, iface, ruleset);
	}
	if (err)
		replayer_free(made);
	else
		*replayer = made;
	return err;
}

/* Runs the program for the frames in the batch. */
static int judge_batch(struct replayer *replayer, struct bpf_test_run_opts *opts)
{
	struct inquiry *inquiry = (struct inquiry *)&replayer->program->data_inquiry->inquiry;

	inquiry->count = replayer->count;
	replayer->count = 0;
	if (bpf_prog_test_run_opts(bpf_program__fd(replayer->program->progs.replay), opts))
		return -errno;
	return opts->retval == inquiry->count ? 0 : -EIO;
}

static int judge_waiting(struct replayer *replayer)
{
	static const char dummy[ETH_HLEN]; /* the program judges the batch in its place */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = dummy, .data_size_in = sizeof(dummy));

	return replayer->count ? judge_batch(replayer, &opts) : 0;
}

/* A frame that is too long for a batch: the program is run with the frame itself. */
static int judge_long(struct replayer *replayer, const void *frame, size_t size, __u64 now)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size);
	int err = judge_waiting(replayer);

	replayer->batch[0].now = advance_clock(replayer, now);
	replayer->batch[0].size = 0; /* not in the batch */
	replayer->count = 1;
	return err ?: judge_batch(replayer, &opts);
}

int replayer_judge(struct replayer *replayer, const void *frame, size_t size, __u64 now)
{
	struct captured_frame *next = &replayer->batch[replayer->count];

	if (size < ETH_HLEN)
		return -EINVAL;
	if (size > sizeof(next->data))
		return judge_long(replayer, frame, size, now);
	next->now = advance_clock(replayer, now);
	next->size = size;
	memcpy(next->data, frame, size);
	return ++replayer->count < BATCH_FRAMES ? 0 : judge_waiting(replayer);
}

int replayer_outgoing(struct replayer *replayer, const void *frame, size_t size, __u64 now)
{
	const struct portctl_bpf *program = replayer->program;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size);
	int err = judge_waiting(replayer);

	program->data_inquiry->inquiry.now = advance_clock(replayer, now);
	if (!err && bpf_prog_test_run_opts(bpf_program__fd(program->progs.egress), &opts))
		err = -errno;
	return err;
}

int replayer_finish(struct replayer *replayer, const struct interface **iface)
{
	*iface = &replayer->iface;
	return judge_waiting(replayer);
}

void replayer_free(struct replayer *replayer)
{
	if (!replayer)
		return;
	if (replayer->batch)
		munmap(replayer->batch, BATCH_FRAMES * sizeof(*replayer->batch));
	interface_close(&replayer->iface);
	portctl_bpf__destroy(replayer->program);
	free(replayer);
}
