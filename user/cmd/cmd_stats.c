// SPDX-License-Identifier: GPL-2.0-only
/* stats: counters of ports and lines, once or again and again. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/command.h"
#include "print/output.h"
#include "state/snapshot.h"

#define INTERVAL_MAX 86400

struct stats_options {
	unsigned long interval; /* seconds; 0: print once, without rates */
	unsigned long times; /* 0: until interrupted */
	bool all;
	bool json;
	struct term *wanted; /* the ports to show; none: all */
	size_t wanted_count;
	size_t wanted_room;
};

static const struct cli_option stats_options[] = {
	{ "interval", 'i', "SECONDS", "print again every SECONDS, with packets per second",
	  CLI_NUMBER(struct stats_options, interval, 1, INTERVAL_MAX) },
	{ "times", 'n', "TIMES", "with -i: stop after printing TIMES times",
	  CLI_NUMBER(struct stats_options, times, 1, INTERVAL_MAX) },
	{ "all", 'a', NULL, "show ports without packets as well",
	  CLI_FLAG(struct stats_options, all) },
	{ CLI_JSON(struct stats_options, json) },
	{ 0 },
};

static int stats_parse_port(struct stats_options *options, const char *word)
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
			return out_of_memory();
		options->wanted[options->wanted_count++] = terms[i];
	}
	return 0;
}

/* The earlier counters of the interface of that name; NULL if it was not attached. */
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

static int stats_print_once(const struct snapshot *now, const struct snapshot *before,
			    const struct stats_options *options)
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
		return out_of_memory();
	return fflush(stdout) || ferror(stdout) ? -EIO : 0; /* program_end() prints it */
}

/* With an interval, the first counters are only the start of the first rates. */
static int stats_print(const struct stats_options *options)
{
	struct snapshot before = { 0 }, now;
	unsigned long shown = 0;
	int err;

	do {
		err = snapshot_take(&now);
		if (!err && (before.stats || !options->interval)) {
			err = stats_print_once(&now, &before, options);
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

static int stats_run(const struct command *command, int argc, char **argv)
{
	struct stats_options options = { 0 };
	int status = command_parse(command, &argc, argv, &options), err = 0;

	if (status)
		return status;
	if (options.times && !options.interval)
		err = fail(-EINVAL, "argv: -n: expected -i as well");
	for (int i = 1; i < argc && !err; i++)
		err = stats_parse_port(&options, argv[i]);
	if (err)
		status = command_usage(command);
	else if (stats_print(&options))
		status = EXIT_REFUSED;
	free(options.wanted);
	return status;
}

const struct command cmd_stats_entry = {
	.name = "stats",
	.arguments = "[PORT...] [-i SECONDS [-n TIMES]]",
	.summary = "Show counters of ports and lines",
	.help = "The busiest ports come first. Ports without packets are shown only with --all. "
		"A line is a rule or a built-in reason, to which packets are charged.",
	.examples = "  portctl stats ssh 8000-8999/tcp\n"
		    "  portctl stats -i 1\n",
	.options = stats_options,
	.words = { 0, ANY_WORDS },
	.run = stats_run,
	.privileges = PRIVILEGES_READ,
};
