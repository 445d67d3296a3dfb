// SPDX-License-Identifier: GPL-2.0-only
/* Sequences that change with the time: printed, knocked, and made for the data path. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "cmd/command.h"
#include "base/log.h"
#include "kernel/datapath_rules.h"
#include "rules/totp.h"
#include "kernel/datapath_knock.h"

#define TURN_SECONDS 1 /* between two looks at the rules, */
#define ALIVE_SECONDS 4 /* and when doors shut that nobody looks after */
#define STEP_PAUSE 50000000 /* nanoseconds, so that steps arrive in their order */

static __u64 present_window(void)
{
	return utc_now() / 1000000000 / WINDOW_SECONDS;
}

/* The rules of a file, or those that run. */
static int read_rules(const char *path, struct ruleset *ruleset)
{
	struct datapath dp;
	int err;

	if (path)
		return rules_file_read(path, ruleset);
	err = datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, ruleset);
	datapath_close(&dp);
	return err;
}

/* The steps of a knock in a window. */
static int make_sequence(const struct knock *knock, __u64 window, struct sequence *sequence)
{
	struct totp totp;
	int err = totp_read(knock->secret, &totp);

	if (!err)
		totp_sequence(&totp, knock, window, sequence);
	explicit_bzero(&totp, sizeof(totp));
	return err;
}

static int present_sequence(const char *path, const char *name, struct sequence *sequence)
{
	const struct rule *rule = NULL;
	struct ruleset ruleset;
	int err;

	ruleset_init(&ruleset);
	err = read_rules(path, &ruleset);
	if (!err)
		rule = knock_of_name(&ruleset, name);
	if (rule && !rule->knock->secret)
		fail(-EINVAL,
		     "the sequence of the knock \"%s\" does not change with the time: "
		     "\"portctl knock list\" shows it",
		     name);
	err = rule && rule->knock->secret
		      ? make_sequence(rule->knock, present_window(), sequence)
		      : -ENOENT;
	ruleset_clear(&ruleset);
	return err;
}

/* What "knock sequence" and "knock now" are told. */
struct timed_options {
	const char *rules;
	int family;
};

static int parse_options(int argc, char **argv, struct timed_options *wanted)
{
	static const struct option options[] = {
		{ "rules", required_argument, NULL, 'r' },
		{ "ipv4", no_argument, NULL, '4' },
		{ "ipv6", no_argument, NULL, '6' },
		{ 0 },
	};
	int option;

	*wanted = (struct timed_options){ 0 };
	while ((option = getopt_long(argc, argv, "46", options, NULL)) != -1) {
		if (option == 'r')
			wanted->rules = optarg;
		else if (option == '?')
			return -EINVAL;
		else
			wanted->family = option == '4' ? AF_INET : AF_INET6;
	}
	return 0;
}

int knock_sequence(const struct command *command, int argc, char **argv)
{
	struct timed_options wanted;
	struct sequence sequence;

	if (parse_options(argc, argv, &wanted) || argc - optind != 1)
		return command_usage(command);
	if (present_sequence(wanted.rules, argv[optind], &sequence))
		return EXIT_REFUSED;
	for (__u32 i = 0; i < sequence.count; i++)
		printf("%s%u:%s", i ? " " : "", key_port(sequence.steps[i]),
		       key_protocol(sequence.steps[i]));
	putchar('\n');
	return EXIT_DONE;
}

/* One touch: a SYN, or a datagram of one byte. Nothing is to be answered. */
static int touch(const char *host, int family, __u32 key)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = key < PORT_KEY_UDP ? SOCK_STREAM : SOCK_DGRAM,
	};
	struct addrinfo *found;
	char port[8];
	int err, fd;

	snprintf(port, sizeof(port), "%u", key_port(key));
	err = getaddrinfo(host, port, &hints, &found);
	if (err)
		return fail(-ENOENT, "cannot find %s: %s", host, gai_strerror(err));
	fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) ||
			      (key >= PORT_KEY_UDP && send(fd, "", 1, 0) < 0)
		      ? -errno
		      : 0;
	if (fd >= 0)
		close(fd);
	freeaddrinfo(found);
	if (err && err != -EINPROGRESS && err != -ECONNREFUSED)
		return fail(err, "cannot knock at %s: %s", host, strerror(-err));
	return 0;
}

int knock_now(const struct command *command, int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = STEP_PAUSE };
	struct timed_options wanted;
	struct sequence sequence;
	int err;

	if (parse_options(argc, argv, &wanted) || argc - optind != 2)
		return command_usage(command);
	err = present_sequence(wanted.rules, argv[optind + 1], &sequence);
	for (__u32 i = 0; !err && i < sequence.count; i++) {
		err = touch(argv[optind], wanted.family, sequence.steps[i]);
		nanosleep(&pause, NULL);
	}
	return err ? EXIT_REFUSED : EXIT_DONE;
}

/* The windows that are good now, where they belong. */
static int make_windows(const struct knock *knock, __u64 present, struct window list[WINDOWS])
{
	int err = 0;

	memset(list, 0, WINDOWS * sizeof(*list));
	for (__u64 number = present - 1; number <= present + 1 && !err; number++) {
		struct window *window = &list[number % WINDOWS];

		err = make_sequence(knock, number, &window->sequence);
		window->number = number;
	}
	return err;
}

/* For which rules and which window the sequences were made. */
struct turn {
	__u32 generation;
	__u64 created; /* of the tables */
	__u64 window;
	bool shut[MAX_DOORS + 1]; /* doors without a secret that can be read */
};

static int serve_door(const struct datapath *dp, const struct rule *rule, struct turn *turn,
		      bool anew)
{
	struct window list[WINDOWS];

	if (anew)
		turn->shut[rule->door] = make_windows(rule->knock, turn->window, list);
	if (turn->shut[rule->door])
		return 0;
	return datapath_windows(dp, rule->door, anew ? list : NULL, ALIVE_SECONDS);
}

static int serve_turn(struct turn *turn)
{
	struct turn now = { .window = present_window() };
	struct ruleset ruleset;
	struct datapath dp;
	bool anew;
	int err;

	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, &ruleset);
	if (dp.control) {
		now.generation = dp.control->generation;
		now.created = dp.control->created;
	}
	anew = now.window != turn->window || now.generation != turn->generation ||
	       now.created != turn->created;
	if (anew)
		*turn = now;
	for (size_t i = 0; i < ruleset.count && !err; i++) {
		const struct rule *rule = &ruleset.rules[i];

		if (rule->knock && rule->knock->secret)
			err = serve_door(&dp, rule, turn, anew);
	}
	if (err)
		turn->window = 0; /* all of it again */
	ruleset_clear(&ruleset);
	datapath_close(&dp);
	return err;
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

int knock_serve(const struct command *command, int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = stop };
	const struct timespec pause = { .tv_sec = TURN_SECONDS };
	struct turn turn = { 0 };

	(void)argv;
	if (argc != 1)
		return command_usage(command);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	while (!stopped) {
		if (serve_turn(&turn))
			return EXIT_REFUSED;
		nanosleep(&pause, NULL);
	}
	return EXIT_DONE;
}
