// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/datapath_load.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/privileges.h"
#include "kernel/datapath_internal.h"
#include "kernel/needs.h"
#include "kernel/pins.h"

_Static_assert(sizeof(struct portctl_bpf__bss) == sizeof(struct tables) &&
		       offsetof(struct portctl_bpf__bss, table) ==
			       offsetof(struct tables, slots) &&
		       offsetof(struct portctl_bpf__bss, sampling) ==
			       offsetof(struct tables, sampling),
	       "the compiler lays out the global data as struct tables");

static FILE *load_log;

static int collect_log(enum libbpf_print_level level, const char *format, va_list args)
{
	va_list copy;

	va_copy(copy, args);
	debug_print(level, format, copy);
	va_end(copy);
	return level == LIBBPF_DEBUG ? 0 : vfprintf(load_log, format, args);
}

/* The last line of the verifier's own words in a log: not libbpf's, and no statistics. */
static const char *last_line(char *log)
{
	const char *last = "", *line;

	while ((line = strsep(&log, "\n"))) {
		if (*line && strncmp(line, "libbpf", 6) && strncmp(line, "processed", 9) &&
		    strncmp(line, "--", 2))
			last = line;
	}
	return last;
}

/*
 * Says why the kernel refused a program: the feature that it lacks, or else the last line of the
 * verifier. A process without the privilege to load programs cannot probe for features.
 */
static int fail_load(int err, const char *name, char *log)
{
	const char *missing, *last;

	/*
	 * Without CAP_PERFMON the verifier also checks paths that a CPU takes speculatively, and
	 * gives up on the program with whatever limit it reaches first.
	 */
	if (err != -ENOMEM && !privileges_has_any(CAPABILITY(PERFMON) | CAPABILITY(SYS_ADMIN)))
		err = -EPERM;
	missing = err == -EPERM || err == -ENOMEM ? NULL : needs_missing();
	last = err == -ENOMEM || err == -EPERM ? "" : last_line(log);
	if (missing)
		return fail(err,
			    "the kernel refused the program for %s: it lacks %s; "
			    "\"portctl doctor\" says what is there",
			    name, missing);
	return fail(err, "the kernel refused the program for %s: %s%s%s", name,
		    datapath_reason(err), *last ? ": " : "", last);
}

/* Counters for each CPU online. A pinned map keeps the number that it was made with. */
static int set_cpus(struct portctl_bpf *program)
{
	if (bpf_map__fd(program->maps.cpu_counters) >= 0)
		return 0;
	return bpf_map__set_max_entries(program->maps.cpu_counters,
					sysconf(_SC_NPROCESSORS_ONLN));
}

#define PINNED_MAP(name) offsetof(struct portctl_bpf, maps.name)

const struct pinned_map pinned_maps[] = {
	{ "control", PINNED_MAP(data_control), true },
	{ "flows", PINNED_MAP(flows), true },
	{ "flow_ends", PINNED_MAP(flow_ends), true },
	{ "attempts", PINNED_MAP(attempts), true },
	{ "windows", PINNED_MAP(windows), true },
	{ "grants", PINNED_MAP(grants), true },
	{ "lockouts", PINNED_MAP(lockouts), true },
	{ "signers", PINNED_MAP(signers), true },
	{ "last_signed", PINNED_MAP(last_signed), true },
	{ "door_counts", PINNED_MAP(door_counts), true },
	{ "events", PINNED_MAP(events), true },
	{ "event_counts", PINNED_MAP(event_counts), true },
	{ "table", PINNED_MAP(bss), false },
	{ "counters", PINNED_MAP(counters), false },
	{ "cpu_counters", PINNED_MAP(cpu_counters), false },
	{ "details", PINNED_MAP(details), false },
	{ "sources", PINNED_MAP(sources), false },
	{ "buckets", PINNED_MAP(buckets), false },
	{ "source_buckets", PINNED_MAP(source_buckets), false },
};

const size_t pinned_map_count = ARRAY_SIZE(pinned_maps);

struct bpf_map *pinned_map_of(const struct portctl_bpf *program, size_t index)
{
	return *(struct bpf_map **)((char *)program + pinned_maps[index].map);
}

static int reuse_maps(const struct datapath *dp, const char *name, struct portctl_bpf *program)
{
	int err = 0;

	for (size_t i = 0; i < pinned_map_count && !err; i++)
		err = pin_reuse(dp, pinned_maps[i].shared ? NULL : name, pinned_maps[i].pin,
				pinned_map_of(program, i));
	return err;
}

/* Maps of its own need what datapath_create() puts into the shared control map. */
static int own_maps(struct portctl_bpf *program)
{
	struct control *control = (struct control *)&program->data_control->control;

	control->schema = PORTCTL_SCHEMA;
	if (getrandom(control->secret, sizeof(control->secret), 0) < 0)
		return -errno;
	return 0;
}

static int prepare(const struct datapath *dp, const char *name, enum purpose purpose,
		   struct portctl_bpf *program)
{
	bool replay = purpose == PURPOSE_REPLAY;
	int err = replay ? own_maps(program) : reuse_maps(dp, name, program);

	bpf_program__set_autoload(program->progs.explain, purpose == PURPOSE_EXPLAIN);
	bpf_program__set_autoload(program->progs.replay, replay);
	bpf_program__set_autoload(program->progs.portctl, purpose == PURPOSE_FILTER);
	bpf_program__set_autoload(program->progs.egress, purpose != PURPOSE_EXPLAIN);
	bpf_map__set_autocreate(program->maps.batch, replay);
	*(__u32 *)&program->rodata->purpose = purpose;
	*(__u64 *)&program->rodata->ticks_per_second = ticks_per_second();
	debug_programs(program->obj);
	return err ?: set_cpus(program);
}

int program_load(const struct datapath *dp, const char *name, enum purpose purpose,
		 struct portctl_bpf **program)
{
	cleanup_free char *log = NULL;
	size_t size;
	int err;

	load_log = open_memstream(&log, &size);
	if (!load_log)
		return out_of_memory();
	libbpf_set_print(collect_log);
	*program = portctl_bpf__open();
	err = *program ? prepare(dp, name, purpose, *program) : -errno;
	if (!err)
		err = portctl_bpf__load(*program);
	/* If libbpf has no memory to try mmap(), it takes mmap() for unsupported. */
	if (!err && (!(*program)->bss || !(*program)->data_control))
		err = -ENOMEM;
	libbpf_set_print(debug_print);
	fclose(load_log);
	return err ? fail_load(err, name, log) : 0;
}

struct slot_maps slot_maps_of(const struct portctl_bpf *program, const struct datapath *dp,
			      const char *name)
{
	return (struct slot_maps){
		.dp = dp,
		.name = name,
		.details = bpf_map__fd(program->maps.details),
		.sources = bpf_map__fd(program->maps.sources),
	};
}

/* The memory of one map in bytes, as the kernel counts it; 0 if it does not say. */
static __u64 memory_of(const struct datapath *dp, const char *iface, const char *pin)
{
	cleanup_close int fd = pin_open(dp, iface, pin);
	char path[PATH_MAX], line[256];
	cleanup_file FILE *info = NULL;
	unsigned long long bytes = 0;

	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info)) {
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	}
	return bytes;
}

__u64 datapath_memory(const struct datapath *dp, const char *iface)
{
	__u64 bytes = 0;

	for (size_t i = 0; i < pinned_map_count; i++) {
		if (pinned_maps[i].shared == !iface)
			bytes += memory_of(dp, iface, pinned_maps[i].pin);
	}
	return bytes;
}
