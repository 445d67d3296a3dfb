// SPDX-License-Identifier: GPL-2.0-only
/* knock sequence, now: print the present steps of a TOTP knock, or knock with them. */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/rules_file.h"
#include "cmd_knock/knock_named.h"
#include "cmd_knock/knock_timed.h"
#include "kernel/datapath_rules.h"

#define STEP_PAUSE 50000000 /* nanoseconds, so that the steps arrive in their order */

struct timed {
	const char *rules;
	int family;
};

static int read_running(struct ruleset *ruleset)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;

	return datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, ruleset);
}

/* The present steps of the knock `name`, from a file of rules or the running rules. */
static int present_sequence(const char *path, const char *name, struct sequence *sequence)
{
	cleanup_ruleset struct ruleset ruleset;
	const struct rule *rule;
	int err;

	ruleset_init(&ruleset);
	err = path ? rules_file_read(path, &ruleset) : read_running(&ruleset);
	if (err)
		return err;
	rule = knock_named(&ruleset, name);
	if (!rule)
		return -ENOENT;
	if (!rule->knock->secret)
		return fail(-EINVAL,
			    "the sequence of the knock \"%s\" does not change with the time: "
			    "\"portctl knock list\" shows it",
			    name);
	return knock_timed_sequence(rule->knock, knock_timed_window(), sequence);
}

#define TIMED_RULES                                                                            \
	"rules", 0, "FILE", "take the knock from FILE, not from the running rules",            \
		CLI_TEXT(struct timed, rules)

/* Takes -4 and -6 as "knock now" does, but has no use for them. */
static const struct cli_option sequence_options[] = {
	{ TIMED_RULES },
	{ "ipv4", '4', NULL, NULL, CLI_VALUE(struct timed, family, AF_INET) },
	{ "ipv6", '6', NULL, NULL, CLI_VALUE(struct timed, family, AF_INET6) },
	{ 0 },
};

static int knock_sequence_run(const struct command *command, int argc, char **argv)
{
	struct timed timed = { 0 };
	struct sequence sequence;
	int status = command_parse(command, &argc, argv, &timed);

	if (status)
		return status;
	if (present_sequence(timed.rules, argv[1], &sequence))
		return EXIT_REFUSED;
	for (__u32 i = 0; i < sequence.count; i++)
		printf("%s%u:%s", i ? " " : "", key_port(sequence.steps[i]),
		       key_protocol(sequence.steps[i]));
	putchar('\n');
	return EXIT_DONE;
}

const struct command knock_sequence_entry = {
	.name = "knock sequence",
	.arguments = "NAME",
	.summary = "Print the present steps of a totp knock",
	.options = sequence_options,
	.words = { 1, 1 },
	.run = knock_sequence_run,
	.privileges = PRIVILEGES_READ | PRIVILEGES_FILES,
};

static const struct cli_option now_options[] = {
	{ TIMED_RULES },
	{ "ipv4", '4', NULL, "knock by IPv4", CLI_VALUE(struct timed, family, AF_INET) },
	{ "ipv6", '6', NULL, "knock by IPv6", CLI_VALUE(struct timed, family, AF_INET6) },
	{ 0 },
};

/* Sends a SYN, or a datagram of one byte, and does not wait for an answer. */
static int send_step(const struct addrinfo *to, bool udp)
{
	cleanup_close int fd =
		socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) ||
	    (udp && send(fd, "", 1, 0) < 0))
		return errno == EINPROGRESS || errno == ECONNREFUSED ? 0 : -errno;
	return 0;
}

static int touch(const char *host, int family, __u32 key)
{
	bool udp = key >= PORT_KEY_UDP;
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = udp ? SOCK_DGRAM : SOCK_STREAM,
	};
	struct addrinfo *found;
	char port[8];
	int err;

	snprintf(port, sizeof(port), "%u", key_port(key));
	err = getaddrinfo(host, port, &hints, &found);
	if (err)
		return fail(-ENOENT, "cannot find %s: %s", host, gai_strerror(err));
	err = send_step(found, udp);
	freeaddrinfo(found);
	return err ? fail(err, "cannot knock at %s: %s", host, strerror(-err)) : 0;
}

static int knock_now_run(const struct command *command, int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = STEP_PAUSE };
	struct timed timed = { 0 };
	struct sequence sequence;
	int err, status = command_parse(command, &argc, argv, &timed);

	if (status)
		return status;
	err = present_sequence(timed.rules, argv[2], &sequence);
	for (__u32 i = 0; !err && i < sequence.count; i++) {
		err = touch(argv[1], timed.family, sequence.steps[i]);
		nanosleep(&pause, NULL);
	}
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command knock_now_entry = {
	.name = "knock now",
	.arguments = "HOST NAME [--rules FILE] [-4|-6]",
	.summary = "Knock at a host with the present steps of a totp knock",
	.options = now_options,
	.words = { 2, 2 },
	.run = knock_now_run,
	.privileges = PRIVILEGES_READ | PRIVILEGES_FILES,
};
