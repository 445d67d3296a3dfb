// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <time.h>

#include "cmd/command.h"
#include "base/log.h"
#include "print/output.h"
#include "state/snapshot.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/number.h"

#define INTERVAL_MAX 86400

struct options {
	unsigned long interval; /* seconds; 0: once, no rates */
	unsigned long times; /* 0: until interrupted */
	bool all;
	bool json;
	struct term *wanted;
	size_t wanted_count;
	size_t wanted_room;
};

static int parse_port(struct options *options, const char *word)
{
	struct term terms[2];
	const char *expected;
	int count = term_parse(word, strlen(word), terms, &expected);

	if (count < 0 || !terms[0].transports)
		return fail(-EINVAL, "argv: found \"%s\", %s", word,
			    count < 0 ? expected : "expected a port");
	for (int i = 0; i < count; i++) {
		if (array_reserve(&options->wanted, &options->wanted_room,
				  options->wanted_count, sizeof(*terms)))
			return -ENOMEM;
		options->wanted[options->wanted_count++] = terms[i];
	}
	return 0;
}

static int parse_number(const char *name, const char *text, unsigned long *value)
{
	if (number_parse(text, strlen(text), INTERVAL_MAX, value) || !*value)
		return fail(-EINVAL, "argv: %s: found \"%s\", expected a number from 1 to %d",
			    name, text, INTERVAL_MAX);
	return 0;
}

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "times", required_argument, NULL, 'n' },
		{ "all", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option, err = 0;

	while (!err && (option = getopt_long(argc, argv, "i:n:aj", known, NULL)) != -1) {
		if (option == 'i')
			err = parse_number("-i", optarg, &options->interval);
		else if (option == 'n')
			err = parse_number("-n", optarg, &options->times);
		else if (option == 'a')
			options->all = true;
		else if (option == 'j')
			options->json = true;
		else
			err = -EINVAL;
	}
	if (!err && options->times && !options->interval)
		err = fail(-EINVAL, "argv: -n: expected with -i only");
	while (!err && optind < argc)
		err = parse_port(options, argv[optind++]);
	return err;
}

/* The figures that the same interface had before; NULL if it was not there. */
static const struct stats *find_before(const struct snapshot *before, const char *name)
{
	for (size_t i = 0; i < before->dp.count; i++) {
		if (before->stats && !strcmp(before->dp.interfaces[i].name, name))
			return &before->stats[i];
	}
	return NULL;
}

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
	return (to->tv_sec - from->tv_sec) + (to->tv_nsec - from->tv_nsec) / 1e9;
}

static int print_snapshot(const struct snapshot *now, const struct snapshot *before,
			  const struct options *options)
{
	const struct renderer *renderer = options->json ? &json_renderer : &table_renderer;
	size_t count = now->dp.count;
	cleanup_free struct stats_view *views = calloc(count + 1, sizeof(*views));

	for (size_t i = 0; i < count && views; i++) {
		views[i] = (struct stats_view){
			.iface = &now->dp.interfaces[i],
			.now = &now->stats[i],
			.before = find_before(before, now->dp.interfaces[i].name),
			.seconds = seconds_between(&before->taken, &now->taken),
			.all = options->all,
		};
		views[i].key_count = stats_busiest(now->stats[i].ports, options->wanted,
						   options->wanted_count, options->all,
						   (__u32 **)&views[i].keys);
	}
	if (views)
		renderer->stats(stdout, views, count, &now->ruleset);
	for (size_t i = 0; i < count && views; i++)
		free((void *)views[i].keys);
	if (!views)
		return fail(-ENOMEM, "out of memory");
	return fflush(stdout) || ferror(stdout) ? -EIO : 0; /* which program_end() says */
}

/* With an interval the first figures are only what the next are compared with. */
static int run(const struct options *options)
{
	struct snapshot before = { 0 }, now;
	unsigned long shown = 0;
	int err;

	do {
		err = snapshot_take(&now);
		if (!err && (before.stats || !options->interval)) {
			err = print_snapshot(&now, &before, options);
			shown++;
		}
		snapshot_clear(&before);
		before = now;
		if (err || !options->interval || (options->times && shown == options->times))
			break;
		sleep(options->interval);
	} while (true);
	snapshot_clear(&before);
	return err;
}

int cmd_stats(const struct command *command, int argc, char **argv)
{
	struct options options = { 0 };
	int err = parse_options(argc, argv, &options);

	if (err) {
		free(options.wanted);
		return command_usage(command);
	}
	err = run(&options);
	free(options.wanted);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
