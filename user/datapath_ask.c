// SPDX-License-Identifier: GPL-2.0-only
/* The data path that filters nothing: asked about a packet, or replaying a capture. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "datapath_load.h"
#include "log.h"
#include "util.h"

struct asker {
	struct portctl_bpf *program;
};

struct replayer {
	struct portctl_bpf *program;
	struct interface iface;
};

int datapath_ask(const struct datapath *dp, const char *iface, struct asker **asker)
{
	struct asker *made = calloc(1, sizeof(*made));
	int err = made ? program_load(dp, iface, PURPOSE_EXPLAIN, &made->program)
		       : fail(-ENOMEM, "out of memory");

	if (err)
		asker_free(made);
	else
		*asker = made;
	return err;
}

int asker_judge(struct asker *asker, const void *frame, size_t size,
		struct judgement *judgement)
{
	struct inquiry *inquiry = (struct inquiry *)&asker->program->data_inquiry->inquiry;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size,
		    .repeat = 1);

	inquiry->count = 0;
	if (bpf_prog_test_run_opts(bpf_program__fd(asker->program->progs.explain), &opts))
		return fail(-errno, "the kernel does not run the program: %s", reason(-errno));
	*judgement = (struct judgement){ .entry = opts.retval, .count = inquiry->count };
	memcpy(judgement->asked, inquiry->asked, sizeof(judgement->asked));
	return 0;
}

void asker_free(struct asker *asker)
{
	if (asker)
		portctl_bpf__destroy(asker->program);
	free(asker);
}

/* NULL, and errno, where it cannot be mapped. */
static void *map_whole(const struct bpf_map *map)
{
	void *memory = mmap(NULL, bpf_map__max_entries(map) * bpf_map__value_size(map),
			    PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int map_counters(struct replayer *replayer)
{
	const struct bpf_map *counters = replayer->program->maps.counters;
	const struct bpf_map *cpu_counters = replayer->program->maps.cpu_counters;
	struct interface *iface = &replayer->iface;

	iface->cpus = bpf_map__max_entries(cpu_counters);
	iface->counters = map_whole(counters);
	iface->cpu_counters = map_whole(cpu_counters);
	return iface->counters && iface->cpu_counters ? 0 : -errno;
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
	err = err ?: map_counters(made);
	if (err) {
		replayer_free(made);
		return fail(err, "cannot replay: %s", reason(err));
	}
	*replayer = made;
	return 0;
}

static int run(struct replayer *replayer, const struct bpf_program *program, const void *frame,
	       size_t size, __u64 now)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size,
		    .repeat = 1);

	replayer->program->data_inquiry->inquiry.now = now;
	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts) ? -errno : 0;
}

int replayer_judge(struct replayer *replayer, const void *frame, size_t size, __u64 now)
{
	return run(replayer, replayer->program->progs.portctl, frame, size, now);
}

int replayer_leave(struct replayer *replayer, const void *frame, size_t size, __u64 now)
{
	return run(replayer, replayer->program->progs.egress, frame, size, now);
}

const struct interface *replayer_interface(const struct replayer *replayer)
{
	return &replayer->iface;
}

void replayer_free(struct replayer *replayer)
{
	if (!replayer)
		return;
	interface_close(&replayer->iface);
	portctl_bpf__destroy(replayer->program);
	free(replayer);
}
