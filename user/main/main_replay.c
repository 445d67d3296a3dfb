// SPDX-License-Identifier: GPL-2.0-only
/* replay: what rules would have done to a capture. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <string.h>

#include "host/capture.h"
#include "compile/compile.h"
#include "base/log.h"
#include "kernel/datapath_rules.h"
#include "kernel/datapath_trial.h"
#include "print/output.h"
#include "rules/prefix.h"
#include "main/program.h"
#include "cli/rules_file.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"

struct replay {
	const char *rules; /* a file; NULL: the running ones */
	const char *on; /* the interface they are for; NULL: the first that is attached */
	bool json;
	struct prefix *local; /* addresses whose packets go out */
	size_t local_count;
	size_t local_room;
	struct ruleset ruleset;
	char iface[IFNAMSIZ];
	struct replayer *replayer;
	const struct interface *counted; /* with what it counted */
	__u64 frames; /* that came in, */
	__u64 left; /* that went out, */
	__u64 cut; /* of both, those that were not captured whole, */
	__u64 unread; /* and those too short to be a frame */
};

static int add_local(struct replay *replay, const char *text)
{
	struct prefix prefix;
	char expected[128];
	int err;

	if (prefix_parse(text, &prefix, expected))
		return fail(-EINVAL, "argv: --local: found \"%s\", %s", text, expected);
	err = array_reserve(&replay->local, &replay->local_room, replay->local_count,
			    sizeof(prefix));
	if (err)
		return fail(err, "out of memory");
	replay->local[replay->local_count++] = prefix;
	return 0;
}

static int parse_options(int argc, char **argv, struct replay *replay)
{
	static const struct option options[] = {
		{ "rules", required_argument, NULL, 'r' },
		{ "on", required_argument, NULL, 'o' },
		{ "local", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option, err = 0;

	while (!err && (option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == 'r')
			replay->rules = optarg;
		else if (option == 'o')
			replay->on = optarg;
		else if (option == 'l')
			err = add_local(replay, optarg);
		else if (option == 'j')
			replay->json = true;
		else
			return -ENOEXEC; /* getopt has said why */
	}
	return err;
}

/* What runs here, and where: as far as it was not said. */
static int read_running(struct replay *replay)
{
	struct datapath dp;
	int err = datapath_open(&dp, DATAPATH_READ);

	if (!err && !replay->rules)
		err = datapath_ruleset(&dp, &replay->ruleset);
	if (!err && !replay->rules && !dp.count && !replay->ruleset.count)
		err = fail(-ENOENT, "no rules run here: --rules FILE");
	if (!err && !replay->on && dp.count)
		snprintf(replay->iface, sizeof(replay->iface), "%s", datapath_first(&dp)->name);
	datapath_close(&dp);
	return err;
}

static int read_rules(struct replay *replay)
{
	struct ruleset none;
	int err = 0;

	ruleset_init(&none);
	if (replay->on && (strlen(replay->on) >= IFNAMSIZ || text_has_controls(replay->on)))
		return fail(-EINVAL, "argv: --on: found \"%s\", expected an interface",
			    replay->on);
	snprintf(replay->iface, sizeof(replay->iface), "%s", replay->on ?: "replay");
	if (!replay->rules || !replay->on)
		err = read_running(replay);
	if (err || !replay->rules)
		return err;
	err = rules_file_read(replay->rules, &replay->ruleset);
	if (err)
		return err;
	err = assign_lines(&replay->ruleset, &none);
	return err ? fail(err, "%s: too many rules", replay->rules) : 0;
}

/* Rules that end begin with the capture. */
static void set_ends(struct ruleset *ruleset, __u64 begin)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		rule->ends = rule->seconds ? begin + rule->seconds * 1000000000ull : 0;
	}
}

/* The source of an IP packet, behind up to two VLAN tags; family 0: it has none. */
static struct prefix source_of(const struct captured *captured)
{
	const __u8 *type = captured->frame + 12, *ip;
	const __u8 *end = captured->frame + captured->size;
	struct prefix source = { 0 };

	for (int tags = 0; tags < 2 && type + 6 < end && (type[0] == 0x81 || type[0] == 0x88) &&
			   (type[1] == 0x00 || type[1] == 0xA8);
	     tags++)
		type += 4;
	ip = type + 2;
	if (ip + 20 <= end && type[0] == 0x08 && type[1] == 0x00) {
		source = (struct prefix){ .family = 4, .length = 32 };
		memcpy(source.address, ip + 12, 4);
	} else if (ip + 40 <= end && type[0] == 0x86 && type[1] == 0xDD) {
		source = (struct prefix){ .family = 6, .length = 128 };
		memcpy(source.address, ip + 8, 16);
	}
	return source;
}

static bool is_leaving(const struct replay *replay, const struct captured *captured)
{
	struct prefix source;

	if (captured->outgoing || !replay->local_count)
		return captured->outgoing;
	source = source_of(captured);
	for (size_t i = 0; i < replay->local_count && source.family; i++) {
		if (prefix_contains(&replay->local[i], &source))
			return true;
	}
	return false;
}

static int check_run(int err)
{
	return err ? fail(err, "the kernel does not run the program: %s", strerror(-err)) : 0;
}

static int replay_frame(struct replay *replay, const struct captured *captured)
{
	bool leaving = is_leaving(replay, captured);
	int err;

	replay->cut += captured->cut;
	if (leaving)
		err = replayer_outgoing(replay->replayer, captured->frame, captured->size,
					captured->time);
	else
		err = replayer_judge(replay->replayer, captured->frame, captured->size,
				     captured->time);
	if (err == -EINVAL) {
		replay->unread++;
		return 0;
	}
	replay->frames += !leaving;
	replay->left += leaving;
	return check_run(err);
}

static int replay_all(struct replay *replay, struct capture *capture)
{
	struct captured captured;
	int more = capture_next(capture, &captured), err = 0;

	if (more < 0)
		return more;
	set_ends(&replay->ruleset, more ? captured.time : 1);
	err = replayer_open(replay->iface, &replay->ruleset, &replay->replayer);
	while (!err && more > 0) {
		err = replay_frame(replay, &captured);
		more = err ? 0 : capture_next(capture, &captured);
	}
	err = err ?: more;
	return err ?: check_run(replayer_finish(replay->replayer, &replay->counted));
}

static void print_frames(const struct replay *replay)
{
	printf("%llu frames came in", replay->frames);
	if (replay->left)
		printf(", %llu went out", replay->left);
	if (replay->cut)
		printf(", %llu not captured whole", replay->cut);
	if (replay->unread)
		printf(", %llu too short to be one", replay->unread);
	printf("\n\n");
}

/* The objects of `stats -j` and `list -j`, and how many frames there were, as one. */
static void print_json(const struct replay *replay, const struct stats_view *view,
		       const struct tally *counts)
{
	char *text[2] = { NULL, NULL };
	json_t *all = json_pack("{s:I, s:I, s:I, s:I}", "frames", (json_int_t)replay->frames,
				"left", (json_int_t)replay->left, "cut",
				(json_int_t)replay->cut, "unread", (json_int_t)replay->unread);

	for (int i = 0; i < 2; i++) {
		size_t size;
		FILE *out = open_memstream(&text[i], &size);
		json_t *part;

		if (!out)
			continue;
		if (i)
			json_renderer.list(out, &replay->ruleset, counts);
		else
			json_renderer.stats(out, view, 1, &replay->ruleset);
		fclose(out);
		part = json_loads(text[i], 0, NULL);
		json_object_update(all, part);
		json_decref(part);
	}
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(all);
	free(text[0]);
	free(text[1]);
}

static int print_result(const struct replay *replay)
{
	const struct interface *iface = replay->counted;
	cleanup_free struct tally *counts = calloc(replay->ruleset.count + 1, sizeof(*counts));
	struct stats_view view = { .iface = iface };
	struct stats stats;
	int err = stats_collect(iface, &replay->ruleset, NULL, 0, &stats);

	if (!err && counts) {
		stats_rules(iface, &replay->ruleset, counts);
		view.now = &stats;
		view.key_count =
			stats_busiest(stats.ports, NULL, 0, false, (__u32 **)&view.keys);
		if (replay->json) {
			print_json(replay, &view, counts);
		} else {
			print_frames(replay);
			table_renderer.stats(stdout, &view, 1, &replay->ruleset);
			putchar('\n');
			table_renderer.list(stdout, &replay->ruleset, counts);
		}
		free((void *)view.keys);
	}
	stats_clear(&stats);
	return err || !counts ? fail(-ENOMEM, "out of memory") : 0;
}

static int replay_file(struct replay *replay, const char *path)
{
	struct capture *capture = NULL;
	int err = read_rules(replay) ?: capture_open(path, &capture);

	if (!err)
		err = replay_all(replay, capture);
	capture_close(capture);
	return err ?: print_result(replay);
}

static int cmd_replay(const struct command *command, int argc, char **argv)
{
	struct replay replay = { 0 };
	int err = parse_options(argc, argv, &replay);

	ruleset_init(&replay.ruleset);
	if (!err && argc - optind != 1)
		err = -ENOEXEC;
	if (!err)
		err = replay_file(&replay, argv[optind]);
	replayer_free(replay.replayer);
	ruleset_clear(&replay.ruleset);
	free(replay.local);
	if (err == -ENOEXEC)
		return command_usage(command);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

extern const struct command cmd_replay_entry;

int main(int argc, char **argv)
{
	return program_of_one(&cmd_replay_entry, cmd_replay, argc, argv);
}
