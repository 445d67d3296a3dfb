/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hook programs, run once for each event. A hook gets the event on its standard input. The
 * event is never part of a command line, and no shell is involved. The number of hooks at a
 * time and the number of starts a second are limited, and a hook is killed after HOOK_SECONDS.
 */
#ifndef HOOK_H
#define HOOK_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#define HOOKS_AT_ONCE 8
#define HOOKS_A_SECOND 10
#define HOOK_SECONDS 10

struct hooks {
	const char *program;
	struct {
		pid_t pid; /* 0: unused */
		time_t started; /* seconds, CLOCK_MONOTONIC */
	} running[HOOKS_AT_ONCE];
	time_t second; /* the current second, CLOCK_MONOTONIC */
	unsigned int begun; /* hooks begun in this second */
	unsigned long skipped; /* events without a hook because of the limits */
};

/*
 * Starts the program with `size` bytes of text as its standard input, or counts the event in
 * `skipped` if a limit is reached. Does not wait for the program.
 */
void hook_run(struct hooks *hooks, const char *text, size_t size);

/* Collects hooks that have ended, and kills those that ran too long. Call it often. */
void hooks_reap(struct hooks *hooks);

/* Kills all running hooks. */
void hooks_end(struct hooks *hooks);

#endif
