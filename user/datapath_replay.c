// SPDX-License-Identifier: GPL-2.0-only
/* The data path that filters nothing: replaying a capture. */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/mman.h>

#include "datapath_load.h"
#include "log.h"
#include "util.h"

struct replayer {
	struct portctl_bpf *program;
	struct interface iface;
	struct captured_frame *batch; /* the program's */
	__u32 count; /* of frames in it */
};

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

/* Runs a program for a frame that came or went `now`, or for a batch, whose frames say when. */
static int run(struct replayer *replayer, const struct bpf_program *program,
	       struct bpf_test_run_opts *opts, __u64 now, __u32 count)
{
	struct inquiry *inquiry = (struct inquiry *)&replayer->program->data_inquiry->inquiry;

	inquiry->now = now;
	inquiry->count = count;
	return bpf_prog_test_run_opts(bpf_program__fd(program), opts) ? -errno : 0;
}

static int judge_batch(struct replayer *replayer)
{
	static const char any[ETH_HLEN];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = any, .data_size_in = sizeof(any));
	__u32 count = replayer->count;
	int err;

	if (!count)
		return 0;
	replayer->count = 0;
	err = run(replayer, replayer->program->progs.replay, &opts, 0, count);
	return err ?: opts.retval == count ? 0 : -EIO;
}

int replayer_judge(struct replayer *replayer, const void *frame, size_t size, __u64 now)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size);
	struct captured_frame *next = &replayer->batch[replayer->count];
	int err;

	if (size < ETH_HLEN)
		return -EINVAL;
	if (size > sizeof(next->data)) {
		err = judge_batch(replayer);
		return err ?: run(replayer, replayer->program->progs.replay, &opts, now, 0);
	}
	next->now = now;
	next->size = size;
	memcpy(next->data, frame, size);
	return ++replayer->count < BATCH_FRAMES ? 0 : judge_batch(replayer);
}

int replayer_leave(struct replayer *replayer, const void *frame, size_t size, __u64 now)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size);
	int err = judge_batch(replayer);

	return err ?: run(replayer, replayer->program->progs.egress, &opts, now, 0);
}

int replayer_finish(struct replayer *replayer, const struct interface **iface)
{
	int err = judge_batch(replayer);

	*iface = &replayer->iface;
	return err;
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
