/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that are run for events: the event is their standard input, never a word
 * of their command line, and no shell is asked. So many at a time and a second at
 * most, and none for longer than HOOK_SECONDS.
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
		pid_t pid; /* 0: none */
		time_t started;
	} running[HOOKS_AT_ONCE];
	time_t second;
	unsigned int begun; /* in that second */
	unsigned long left_out; /* for which none was run, since it was asked */
};

/* Runs the program with so much text as its standard input, or counts it as left out. */
void hook_run(struct hooks *hooks, const char *text, size_t size);

/* Buries those that have ended, and ends those that took too long. */
void hooks_look_after(struct hooks *hooks);

/* Ends all of them. */
void hooks_end(struct hooks *hooks);

#endif
