// SPDX-License-Identifier: GPL-2.0-only
/* knock serve: make the sequences of TOTP knocks for the data path. */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cmd_knock/knock_timed.h"
#include "kernel/datapath_knock.h"
#include "kernel/datapath_rules.h"

#define TURN_SECONDS 1 /* between two looks at the rules */
#define ALIVE_SECONDS 4 /* the data path drops the sequences after this time without a turn */

/* Makes the sequences of the present window and of the two beside it. */
static int make_windows(const struct knock *knock, __u64 present, struct window list[WINDOWS])
{
	int err = 0;

	memset(list, 0, WINDOWS * sizeof(*list));
	for (__u64 number = present - 1; number <= present + 1 && !err; number++) {
		struct window *window = &list[number % WINDOWS];

		err = knock_timed_sequence(knock, number, &window->sequence);
		window->number = number;
	}
	return err;
}

/* The rules and the window that the sequences were made for. */
struct turn {
	__u32 generation;
	__u64 created; /* of the maps */
	__u64 window;
	bool shut[MAX_DOORS + 1]; /* knocks whose secret cannot be read, by their door */
};

static int serve_knock(const struct datapath *dp, const struct rule *rule, struct turn *turn,
		       bool anew)
{
	struct window list[WINDOWS];

	if (anew)
		turn->shut[rule->door] = make_windows(rule->knock, turn->window, list);
	if (turn->shut[rule->door])
		return 0;
	return datapath_windows(dp, rule->door, anew ? list : NULL, ALIVE_SECONDS);
}

static int serve_all(const struct datapath *dp, const struct ruleset *ruleset,
		     struct turn *turn)
{
	struct turn now = { .window = knock_timed_window() };
	bool anew;
	int err = 0;

	if (dp->control) {
		now.generation = dp->control->generation;
		now.created = dp->control->created;
	}
	anew = now.window != turn->window || now.generation != turn->generation ||
	       now.created != turn->created;
	if (anew)
		*turn = now;
	for (size_t i = 0; i < ruleset->count && !err; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (rule->knock && rule->knock->secret)
			err = serve_knock(dp, rule, turn, anew);
	}
	if (err)
		turn->window = 0; /* the next turn makes all sequences again */
	return err;
}

static int serve_turn(struct turn *turn)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset ruleset;

	ruleset_init(&ruleset);
	return datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, &ruleset)
						 ?: serve_all(&dp, &ruleset, turn);
}

static volatile sig_atomic_t serve_stopped;

static void serve_stop(int signal)
{
	(void)signal;
	serve_stopped = 1;
}

static int knock_serve_run(const struct command *command, int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = serve_stop };
	const struct timespec pause = { .tv_sec = TURN_SECONDS };
	struct turn turn = { 0 };
	int status = command_parse(command, &argc, argv, NULL);

	if (status)
		return status;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	while (!serve_stopped) {
		if (serve_turn(&turn))
			return EXIT_REFUSED;
		nanosleep(&pause, NULL);
	}
	return EXIT_DONE;
}

const struct command knock_serve_entry = {
	.name = "knock serve",
	.arguments = "",
	.summary = "Make the steps of totp knocks for the kernel",
	.help = "Runs until it is ended. Without it no totp knock opens a port. The unit "
		"portctl-knock.service runs it.",
	.run = knock_serve_run,
	.privileges = PRIVILEGES_READ,
};
