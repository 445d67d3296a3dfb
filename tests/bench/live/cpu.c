// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU time of a flood. Packets are sent and judged within this process's system calls, the
 * rest by ksoftirqd. The kernel counts the time of both to the nanosecond, unless it was built
 * with CONFIG_IRQ_TIME_ACCOUNTING, which excludes interrupts: then there is no figure.
 *
 * With threaded NAPI the receiving side can run on another CPU.
 */
#include <dirent.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "live.h"

#define MOST_THREADS 64

static bool has_interrupts_apart(void)
{
	return run("{ zcat /proc/config.gz || cat /boot/config-$(uname -r); } 2>/dev/null | "
		   "grep -q '^# CONFIG_IRQ_TIME_ACCOUNTING is not set'");
}

static bool is_called(const char *pid, const char *begin)
{
	char path[300], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = 0;
	fclose(file);
	return !strncmp(comm, begin, strlen(begin));
}

/* Finds at most `most` processes whose names begin with `begin`. Returns how many. */
static size_t find_processes(const char *begin, int *pids, size_t most)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	size_t count = 0;

	while (processes && count < most && (entry = readdir(processes))) {
		if (atoi(entry->d_name) && is_called(entry->d_name, begin))
			pids[count++] = atoi(entry->d_name);
	}
	if (processes)
		closedir(processes);
	return count;
}

/* Returns the PID of ksoftirqd of CPU 0, or 0 if it cannot be seen. */
static int find_ksoftirqd(void)
{
	int pid = 0;

	find_processes("ksoftirqd/0", &pid, 1);
	return pid;
}

/* Returns the seconds of CPU time of a process. */
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

static size_t find_receivers(int *pids)
{
	return find_processes("napi/eth0-", pids, MOST_THREADS);
}

/* sysfs is mounted anew, because it shows the devices of the namespace it was mounted in. */
bool receive_in_threads(const struct candidate *candidate, bool threads)
{
	int pids[MOST_THREADS];
	size_t count;
	cpu_set_t cpu;
	bool done;

	enter(candidate);
	done = !run("mkdir -p sys && mount -t sysfs sysfs sys && "
		    "echo %d >sys/class/net/eth0/threaded; done=$?; umount sys; exit $done",
		    threads);
	enter(NULL);
	CPU_ZERO(&cpu);
	CPU_SET(RECEIVER_CPU, &cpu);
	count = find_receivers(pids);
	for (size_t i = 0; i < count; i++)
		done &= !sched_setaffinity(pids[i], sizeof(cpu), &cpu);
	return done;
}

double receiver_seconds(void)
{
	int pids[MOST_THREADS];
	size_t count = find_receivers(pids);
	double seconds = 0;

	for (size_t i = 0; i < count; i++)
		seconds += run_time(pids[i]);
	return seconds;
}
