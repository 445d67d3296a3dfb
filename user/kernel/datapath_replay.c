// SPDX-License-Identifier: GPL-2.0-only
/* The data path that filters nothing: replaying a capture. */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "kernel/datapath_load.h"
#include "base/log.h"

struct replayer {
	struct portctl_bpf *program;
	struct interface iface;
	struct captured_frame *batch; /* the program's */
	__u32 count; /* of frames in it */
	__u64 now; /* the latest time that any came or went */
};

/* Captures that were put together may go back in time; the data path's clocks do not. */
static __u64 clock_at(struct replayer *replayer, __u64 now)
{
	replayer->now = MAX(replayer->now, now);
	return replayer->now;
}

/* NULL, and errno, where it cannot be mapped. */
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

int replayer_open(const char *iface, const struct ruleset *ruleset, struct replayer **replayer)
{
	struct replayer *made = calloc(1, sizeof(*made));
	struct slot_maps maps;
	int err;

	if (!made)
		return fail(-ENOMEM, "out of memory");
	err = program_load(NULL, iface, PURPOSE_REPLAY, &made->program);
	if (err) {
		replayer_free(made);
		return err;
	}
	made->iface.mode = "replay";
	strncpy(made->iface.name, iface, IFNAMSIZ - 1);
	maps = slot_maps_of(made->program, NULL, iface);
	err = slot_fill(&maps, iface, made->program->bss->table, 0, ruleset);
	err = err ?: map_maps(made);
	if (err) {
		replayer_free(made);
		return fail(err, "cannot replay: %s", reason(err));
	}
	*replayer = made;
	return 0;
}

/* Runs the program for what is in the batch. */
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
	static const char any[ETH_HLEN]; /* the frames come in its place */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = any, .data_size_in = sizeof(any));

	return replayer->count ? judge_batch(replayer, &opts) : 0;
}

/* One that has no room in a batch: the program is run with it. */
static int judge_long(struct replayer *replayer, const void *frame, size_t size, __u64 now)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size);
	int err = judge_waiting(replayer);

	replayer->batch[0].now = clock_at(replayer, now);
	replayer->batch[0].size = 0;
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
	next->now = clock_at(replayer, now);
	next->size = size;
	memcpy(next->data, frame, size);
	return ++replayer->count < BATCH_FRAMES ? 0 : judge_waiting(replayer);
}

int replayer_leave(struct replayer *replayer, const void *frame, size_t size, __u64 now)
{
	const struct portctl_bpf *program = replayer->program;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size);
	int err = judge_waiting(replayer);

	program->data_inquiry->inquiry.now = clock_at(replayer, now);
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
