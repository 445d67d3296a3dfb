// SPDX-License-Identifier: GPL-2.0-only
#include "watch/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/log.h"

extern char **environ;

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* Puts the text into an anonymous file. A pipe could fill up, or break if the hook exits. */
static int text_file(const char *text, size_t size)
{
	cleanup_close int fd = memfd_create("event", MFD_CLOEXEC);
	int file = fd;

	if (fd < 0)
		return -errno;
	if (write(fd, text, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		return -EIO;
	fd = -1;
	return file;
}

/* Starts the hook in its own process group, so that its children can be killed with it. */
static int spawn(const char *program, int input, pid_t *pid)
{
	char *const argv[] = { (char *)program, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int err;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	err = posix_spawn(pid, program, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -err;
}

/* Whether the limit for this second lets another hook start. */
static bool rate_allows(struct hooks *hooks)
{
	time_t second = now();

	if (second != hooks->second) {
		hooks->second = second;
		hooks->begun = 0;
	}
	return hooks->begun < HOOKS_A_SECOND;
}

void hook_run(struct hooks *hooks, const char *text, size_t size)
{
	cleanup_close int input = -1;
	size_t i = 0;
	int err;

	while (i < HOOKS_AT_ONCE && hooks->running[i].pid)
		i++;
	if (i == HOOKS_AT_ONCE || !rate_allows(hooks)) {
		hooks->skipped++;
		return;
	}
	hooks->begun++;
	input = text_file(text, size);
	err = input < 0 ? input : spawn(hooks->program, input, &hooks->running[i].pid);
	if (err) {
		hooks->running[i].pid = 0;
		fail(err, "cannot run %s: %s", hooks->program, strerror(-err));
	}
	hooks->running[i].started = now();
}

void hooks_reap(struct hooks *hooks)
{
	for (size_t i = 0; i < HOOKS_AT_ONCE; i++) {
		pid_t pid = hooks->running[i].pid;

		if (!pid)
			continue;
		if (waitpid(pid, NULL, WNOHANG) == pid) {
			hooks->running[i].pid = 0;
		} else if (now() - hooks->running[i].started > HOOK_SECONDS) {
			note("%s ran longer than %d s: killed", hooks->program, HOOK_SECONDS);
			kill(-pid, SIGKILL);
			hooks->running[i].started = now();
		}
	}
}

void hooks_end(struct hooks *hooks)
{
	for (size_t i = 0; i < HOOKS_AT_ONCE; i++) {
		if (!hooks->running[i].pid)
			continue;
		kill(-hooks->running[i].pid, SIGKILL);
		waitpid(hooks->running[i].pid, NULL, 0);
		hooks->running[i].pid = 0;
	}
}
