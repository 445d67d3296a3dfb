// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU time a flood takes. It is sent and judged in this process's own system calls,
 * and what is left over by ksoftirqd. The kernel counts both to the nanosecond, unless it
 * was built to take the time of interrupts out: then there is no figure.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "live.h"

static bool has_interrupts_apart(void)
{
	return run("{ zcat /proc/config.gz || cat /boot/config-$(uname -r); } 2>/dev/null | "
		   "grep -q '^# CONFIG_IRQ_TIME_ACCOUNTING is not set'");
}

static bool is_called(const char *pid, const char *name)
{
	char path[300], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fgets(comm, sizeof(comm), file))
		comm[strcspn(comm, "\n")] = 0;
	fclose(file);
	return !strcmp(comm, name);
}

/* The process that does what interrupts leave over on CPU 0; 0: it is not to be seen. */
static int find_ksoftirqd(void)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	int pid = 0;

	while (processes && !pid && (entry = readdir(processes))) {
		if (atoi(entry->d_name) && is_called(entry->d_name, "ksoftirqd/0"))
			pid = atoi(entry->d_name);
	}
	if (processes)
		closedir(processes);
	return pid;
}

/* Seconds that a process was on a CPU. */
static double run_time(int pid)
{
	unsigned long long nanoseconds = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%llu", &nanoseconds) != 1)
		nanoseconds = 0;
	fclose(file);
	return nanoseconds / 1e9;
}

double cpu_seconds(void)
{
	static int ksoftirqd = -1;
	struct timespec own;

	if (ksoftirqd < 0)
		ksoftirqd = has_interrupts_apart() ? 0 : find_ksoftirqd();
	if (!ksoftirqd)
		return -1;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
	return own.tv_sec + own.tv_nsec / 1e9 + run_time(ksoftirqd);
}
