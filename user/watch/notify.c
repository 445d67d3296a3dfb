// SPDX-License-Identifier: GPL-2.0-only
#include "watch/notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/privileges.h"
#include "watch/events.h"

volatile sig_atomic_t notify_stopped;

static void on_signal(int signal)
{
	(void)signal;
	notify_stopped = 1;
}

/* Report a program that cannot be run now, not when the first event arrives. */
static int check_program(const char *program)
{
	struct stat status;
	int err = access(program, X_OK) || stat(program, &status) ? -errno : 0;

	if (!err && !S_ISREG(status.st_mode))
		err = S_ISDIR(status.st_mode) ? -EISDIR : -EACCES;
	return err ? fail(err, "cannot run %s: %s", program, strerror(-err)) : 0;
}

int notify_begin(const struct notifier *notifier)
{
	const struct sigaction action = { .sa_handler = on_signal };
	const char *program = notifier->hooks.program;

	if (program && check_program(program))
		return -EINVAL;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return program ? 0 : privileges_keep(~RUNS_PROGRAMS);
}

/* Stop once the reader of standard output is gone. */
static void flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		notify_stopped = 1;
}

void notify_event(struct notifier *notifier, json_t *event)
{
	json_auto_t *owned = event;
	cleanup_free char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;

	(void)owned;
	if (!text)
		return;
	if (notifier->json)
		puts(text);
	else
		event_print(event, stdout);
	if (notifier->hooks.program)
		hook_run(&notifier->hooks, text, strlen(text));
	flush_output();
}

void notify_lost(struct notifier *notifier, __u64 drops, __u64 events)
{
	unsigned long hooks = notifier->hooks.skipped;

	if (!drops && !events && !hooks)
		return;
	if (notifier->json)
		printf("{\"event\":\"lost\",\"drops\":%llu,\"events\":%llu,\"hooks\":%lu}\n",
		       drops, events, hooks);
	else
		printf("not shown: %llu drops and rejects, %llu other events; "
		       "hooks not run: %lu\n",
		       drops, events, hooks);
	notifier->hooks.skipped = 0;
	flush_output();
}
