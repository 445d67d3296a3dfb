// SPDX-License-Identifier: GPL-2.0-only
/*
 * portctl beside its peers: how many packets a second each candidate judges, when they come in
 * through a veth pair and are made and judged on one CPU; and what it costs to apply, store and
 * show its rules. Only ratios within one run mean anything.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "live.h"
#include "sandbox.h"

/* Seconds after an attach in which portctl refuses signed knocks. */
#define DISBELIEF 31

const char *portctl = "build/portctl";
static double attached;

static void write_keys(void)
{
	FILE *file;

	umask(077);
	file = fopen("keys", "w");
	if (!file ||
	    fputs("a 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
		  "a0a1a2a3a4a5a6a7\n",
		  file) < 0 ||
	    fclose(file)) {
		perror("keys");
		exit(1);
	}
}

static void prepare(void)
{
	cpu_set_t cpu;

	sandbox_enter();
	/* The peers' tools use the default folders for pins and locks. */
	if (mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) || chdir(sandbox_path)) {
		perror("cannot mount a file system");
		exit(1);
	}
	CPU_ZERO(&cpu);
	CPU_SET(SENDER_CPU, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	write_keys();
	traffic_prepare();
	candidates_prepare();
	attached = now();
}

static void measure_row(const struct workload *workload, struct cell *row)
{
	if (workload->signature < BOGUS) {
		measure(workload, row, false);
		return;
	}
	while (now() < attached + DISBELIEF)
		usleep(100000);
	measure_signed(workload, row);
}

/* live PORTCTL --check; or live PORTCTL RESULTS.json [ROW], only rows that begin with ROW. */
int main(int argc, char **argv)
{
	static struct cell rows[MOST_WORKLOADS][MOST_CANDIDATES];
	FILE *json;

	if (argc < 3)
		return 2;
	portctl = argv[1];
	if (!strcmp(argv[2], "--check")) {
		prepare();
		return !check_all(rows);
	}
	json = fopen(argv[2], "w"); /* before entering the sandbox, which changes the folder */
	if (!json) {
		perror(argv[2]);
		return 1;
	}
	prepare();
	for (size_t i = 0; i < workload_count; i++) {
		if (argc < 4 || !strncmp(workloads[i].name, argv[3], strlen(argv[3])))
			measure_row(&workloads[i], rows[i]);
	}
	report_text(stdout, rows);
	if (report_json(json, rows)) {
		perror(argv[2]);
		return 1;
	}
	return 0;
}
