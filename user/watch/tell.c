// SPDX-License-Identifier: GPL-2.0-only
#include "watch/tell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "watch/events.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/privileges.h"

volatile sig_atomic_t tell_stopped;

static void stop(int signal)
{
	(void)signal;
	tell_stopped = 1;
}

/* Looked at now, and not when the first event comes. */
static int check_program(const char *program)
{
	struct stat status;
	int err = access(program, X_OK) || stat(program, &status) ? -errno : 0;

	if (!err && !S_ISREG(status.st_mode))
		err = S_ISDIR(status.st_mode) ? -EISDIR : -EACCES;
	return err ? fail(err, "cannot run %s: %s", program, strerror(-err)) : 0;
}

int tell_begin(const struct teller *teller)
{
	const struct sigaction action = { .sa_handler = stop };
	const char *program = teller->hooks.program;

	if (program && check_program(program))
		return -EINVAL;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return program ? 0 : privileges_keep(~RUNS_PROGRAMS);
}

void tell(struct teller *teller, json_t *event)
{
	cleanup_free char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;

	if (!text)
		return;
	if (teller->json)
		puts(text);
	else
		event_print(event, stdout);
	if (teller->hooks.program)
		hook_run(&teller->hooks, text, strlen(text));
	json_decref(event);
	if (fflush(stdout) || ferror(stdout))
		tell_stopped = 1; /* nobody reads it any more */
}

void tell_lost(struct teller *teller, __u64 drops, __u64 events)
{
	if (!drops && !events && !teller->hooks.left_out)
		return;
	if (teller->json)
		printf("{\"event\":\"lost\",\"drops\":%llu,\"events\":%llu,\"hooks\":%lu}\n",
		       drops, events, teller->hooks.left_out);
	else
		printf("not told: %llu drops and rejects, %llu other events; %lu hooks not run\n",
		       drops, events, teller->hooks.left_out);
	teller->hooks.left_out = 0;
	if (fflush(stdout) || ferror(stdout))
		tell_stopped = 1;
}
