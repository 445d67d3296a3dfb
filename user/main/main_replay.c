// SPDX-License-Identifier: GPL-2.0-only
/* replay: judge the packets of a capture by rules, without attaching to anything. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/rules_file.h"
#include "cmd/programs.h"
#include "compile/lines.h"
#include "host/capture.h"
#include "kernel/datapath_rules.h"
#include "kernel/datapath_trial.h"
#include "main/program.h"
#include "print/output.h"
#include "rules/prefix.h"

struct replay {
	const struct replay_options *options;
	struct ruleset ruleset;
	char iface[IFNAMSIZ];
	struct replayer *replayer;
	const struct interface *counted; /* with the counters */
	__u64 frames; /* that arrived */
	__u64 left; /* frames that left the host */
	__u64 cut; /* of both, frames that were not captured whole */
	__u64 unread; /* of both, frames that are too short for a header */
};

/* Takes the rules and the interface from the running data path, unless options name them. */
static int replay_read_running(struct replay *replay)
{
	const struct replay_options *options = replay->options;
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	int err = datapath_open(&dp, DATAPATH_READ);

	if (!err && !options->rules)
		err = datapath_ruleset(&dp, &replay->ruleset);
	if (!err && !options->rules && !dp.count && !replay->ruleset.count)
		err = fail(-ENOENT, "no rules are running: name a file of rules with --rules");
	if (!err && !options->iface && dp.count)
		snprintf(replay->iface, sizeof(replay->iface), "%s", datapath_first(&dp)->name);
	return err;
}

static int replay_read_rules(struct replay *replay)
{
	const char *rules = replay->options->rules, *iface = replay->options->iface;
	cleanup_ruleset struct ruleset none;
	int err = 0;

	ruleset_init(&none);
	if (iface && (strlen(iface) >= IFNAMSIZ || text_has_controls(iface)))
		return fail(-EINVAL, "argv: --on: found \"%s\", expected an interface", iface);
	snprintf(replay->iface, sizeof(replay->iface), "%s", iface ?: "replay");
	if (!rules || !iface)
		err = replay_read_running(replay);
	if (err || !rules)
		return err;
	err = rules_file_read(rules, &replay->ruleset);
	if (err)
		return err;
	err = assign_lines(&replay->ruleset, &none);
	return err ? fail(err, "%s has too many rules", rules) : 0;
}

/* The time of rules with "for" begins with the capture. */
static void set_ends(struct ruleset *ruleset, __u64 begin)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		rule->ends = rule->seconds ? begin + rule->seconds * 1000000000ull : 0;
	}
}

/* The source of an IP packet behind up to two VLAN tags; family 0 if there is none. */
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
	const struct replay_options *options = replay->options;
	struct prefix source;

	if (captured->outgoing || !options->local_count)
		return captured->outgoing;
	source = source_of(captured);
	for (size_t i = 0; i < options->local_count && source.family; i++) {
		if (prefix_contains(&options->local[i], &source))
			return true;
	}
	return false;
}

static int replay_check(int err)
{
	return err ? fail(err, "cannot run the program in the kernel: %s", strerror(-err)) : 0;
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
	return replay_check(err);
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
	return err ?: replay_check(replayer_finish(replay->replayer, &replay->counted));
}

static void print_frames(const struct replay *replay)
{
	printf("%llu frames came in", replay->frames);
	if (replay->left)
		printf(", %llu went out", replay->left);
	if (replay->cut)
		printf(", %llu not captured whole", replay->cut);
	if (replay->unread)
		printf(", %llu too short for a header", replay->unread);
	printf("\n\n");
}

/* Prints one object with the keys of "stats -j" and "list -j", and the numbers of frames. */
static void replay_print_json(const struct replay *replay, const struct stats_view *view,
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

static int replay_print_result(const struct replay *replay)
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
		if (replay->options->json) {
			replay_print_json(replay, &view, counts);
		} else {
			print_frames(replay);
			table_renderer.stats(stdout, &view, 1, &replay->ruleset);
			putchar('\n');
			table_renderer.list(stdout, &replay->ruleset, counts);
		}
		free((void *)view.keys);
	}
	stats_clear(&stats);
	return err || !counts ? out_of_memory() : 0;
}

static int replay_file(struct replay *replay, const char *path)
{
	struct capture *capture = NULL;
	int err = replay_read_rules(replay) ?: capture_open(path, &capture);

	if (!err)
		err = replay_all(replay, capture);
	capture_close(capture);
	return err ?: replay_print_result(replay);
}

static int replay_run(const struct command *command, int argc, char **argv)
{
	struct replay_options options = { 0 };
	struct replay replay = { .options = &options };
	int status = command_parse(command, &argc, argv, &options);

	ruleset_init(&replay.ruleset);
	if (!status && replay_file(&replay, argv[1]))
		status = EXIT_REFUSED;
	replayer_free(replay.replayer);
	ruleset_clear(&replay.ruleset);
	free(options.local);
	return status;
}

int main(int argc, char **argv)
{
	return program_of_one(&cmd_replay_entry, replay_run, argc, argv);
}
