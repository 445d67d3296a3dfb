// SPDX-License-Identifier: GPL-2.0-only
/* What several commands do alike. */
#include "cmd/command.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/param.h>

#include "compile/compile.h"
#include "host/connections.h"
#include "advise/lockout.h"
#include "base/log.h"
#include "kernel/datapath_rules.h"
#include "print/output.h"
#include "state/saved.h"
#include "rules/signing.h"
#include "rules/totp.h"
#include "kernel/counters.h"
#include "kernel/datapath_knock.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"

int usage(const struct command *command)
{
	fprintf(stderr, "usage: portctl %s %s\n", command->name, command->arguments);
	return EXIT_USAGE;
}

/* Puts the words that getopt moved behind the options to the front of argv. */
static int keep_words(int argc, char **argv)
{
	for (int i = optind; i < argc; i++)
		argv[i - optind + 1] = argv[i];
	return argc - optind + 1;
}

int options_json(int argc, char **argv, bool *json)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option;

	*json = false;
	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option != 'j')
			return -1;
		*json = true;
	}
	return keep_words(argc, argv);
}

#define CONFIRM_MAX 86400

static int parse_confirm(const char *text, struct change *change)
{
	if (time_parse(text, strlen(text), CONFIRM_MAX, &change->seconds))
		return fail(-EINVAL,
			    "argv: --confirm: found \"%s\", expected a time of at most a day, "
			    "as in 60s or 5m",
			    text);
	return 0;
}

int options_change(int argc, char **argv, struct change *change)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "force", no_argument, NULL, 'f' },
		{ "confirm", required_argument, NULL, 'c' },
		{ 0 },
	};
	int option;

	*change = (struct change){ 0 };
	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == 'j')
			change->json = true;
		else if (option == 'f')
			change->force = true;
		else if (option != 'c' || parse_confirm(optarg, change))
			return -1;
	}
	return keep_words(argc, argv);
}

static int check_key_file(const char *path)
{
	struct signing_key *keys;
	size_t count;
	int err = keys_read(path, &keys, &count);

	keys_free(keys, count);
	if (!err && count > MAX_SIGNERS)
		return fail(-E2BIG, "%s has %zu keys: no more than %u can be known", path,
			    count, MAX_SIGNERS);
	return err;
}

static int check_secret_file(const char *path)
{
	struct totp totp;
	int err = totp_read(path, &totp);

	explicit_bzero(&totp, sizeof(totp));
	return err;
}

/*
 * A change that names a file of secrets which is not as it must be is refused. What is
 * `running` has been told so when it began, and must not stop what else is to change.
 */
static int check_secrets(const struct ruleset *next, const struct ruleset *running)
{
	int err = 0;

	for (size_t i = 0; i < next->count && !err; i++) {
		const struct rule *rule = &next->rules[i];

		if (!rule->knock || (running && ruleset_find(running, rule) >= 0))
			continue;
		if (rule->knock->keys)
			err = check_key_file(rule->knock->keys);
		if (rule->knock->secret)
			err = check_secret_file(rule->knock->secret);
	}
	return err;
}

static int check_edit(const struct ruleset *next, const struct ruleset *running)
{
	struct report report = { .out = stderr, .file = "argv", .unit = "rule" };
	int err;

	see_listeners(&report);
	err = ruleset_check_change(next, running, &report);
	return err == -ENOMEM ? fail(err, "out of memory") : err;
}

/*
 * Grants are told by the numbers of doors, which knocks have from their lines' assignment;
 * limits by the lines themselves.
 */
static int check_lockout(const struct datapath *dp, const struct ruleset *running,
			 struct ruleset *next)
{
	bool lines = false;

	for (size_t i = 0; i < next->count; i++)
		lines |= next->rules[i].knock || next->rules[i].limit.count;
	if (lines && assign_lines(next, running)) /* which datapath_commit() will say */
		return 0;
	return lockout_check(dp, running, next,
			     "allow it, or try with --confirm 60s, or insist with --force");
}

static int commit(struct datapath *dp, struct ruleset *next, const struct change *change,
		  bool edit)
{
	struct ruleset running;
	int err;

	ruleset_init(&running);
	err = datapath_rules_in_force(dp, &running);
	if (!err && edit)
		err = check_edit(next, &running);
	if (!err)
		err = check_secrets(next, edit ? &running : NULL);
	if (!err && !change->force && !change->seconds)
		err = check_lockout(dp, &running, next);
	ruleset_clear(&running);
	if (!err)
		err = datapath_commit(dp, next, change->seconds);
	if (!err && change->seconds && !change->json)
		printf("\"portctl confirm\" within %u s keeps this, else it is rolled back\n",
		       change->seconds);
	return err;
}

int commit_file(struct datapath *dp, struct ruleset *next, const struct change *change)
{
	return commit(dp, next, change, false);
}

int commit_edit(struct datapath *dp, struct ruleset *next, const struct change *change)
{
	return commit(dp, next, change, true);
}

int fail_read(int err, const char *path)
{
	if (err == -EILSEQ)
		return fail(err, "%s is not text: it has NUL bytes", path);
	return fail(err, "cannot read %s: %s", path, strerror(-err));
}

void see_listeners(struct report *report)
{
	static unsigned char listening[PORT_KEYS];

	report->listening = connections_listening(listening) ? NULL : listening;
}

int rules_read(const char *path, struct ruleset *ruleset)
{
	cleanup_free char *text = NULL, *name = text_shown(path);
	struct report report = { .out = stderr, .file = name ?: "?" };
	size_t size;
	int err = file_read(path, &text, &size);

	if (err)
		return fail_read(err, path);
	see_listeners(&report);
	err = ruleset_parse(ruleset, text, &report);
	if (!err)
		err = ruleset_check(ruleset, 0, &report);
	if (err == -ENOMEM)
		return fail(err, "%s: out of memory", path);
	return err;
}

/* One word; as a string, if it is one, whatever it holds: the shell has taken its quotes off. */
static void put_word(FILE *out, const char *word, bool string)
{
	fputs(string ? " \"" : " ", out);
	for (; *word; word++) {
		if (string && (*word == '"' || *word == '\\'))
			fputc('\\', out);
		fputc(*word == '\n' ? '\r' : *word, out);
	}
	fputs(string ? "\"" : "", out);
}

/* Whether it would be another word, or several, without quotes: an interface's name may. */
static bool needs_quotes(const char *word)
{
	return !*word || word[strcspn(word, " \t\n\v\f\r,\"#")];
}

/* The words as a line of text. What is itself a name or a comment begins no clause. */
static int join_words(const char *first, int count, char **words, char **text)
{
	bool name = !strcmp(first, "knock"), iface = false, comment = false;
	size_t size;
	FILE *out = open_memstream(text, &size);

	if (!out)
		return -ENOMEM;
	fputs(first, out);
	for (int i = 0; i < count; i++) {
		bool begins = !name && !iface && !comment;

		put_word(out, words[i], comment || (iface && needs_quotes(words[i])));
		name = false;
		iface = begins && !strcmp(words[i], "on");
		comment = begins && !strcmp(words[i], "comment");
	}
	return fclose(out) ? -ENOMEM : 0;
}

int words_parse(const char *first, int count, char **words, struct ruleset *ruleset)
{
	struct report report = { .out = stderr, .file = "argv", .no_comments = true };
	cleanup_free char *text = NULL;
	int err = join_words(first, count, words, &text);

	return err ? fail(err, "out of memory") : ruleset_parse(ruleset, text, &report);
}

int print_list(struct datapath *dp, const struct ruleset *ruleset, bool json)
{
	cleanup_free struct tally *counts = calloc(ruleset->count + 1, sizeof(*counts));
	__u32 lines = LINE_FIRST_RULE;
	int err;

	for (size_t i = 0; i < ruleset->count; i++)
		lines = MAX(lines, ruleset->rules[i].line + 1);
	err = datapath_map_counters(dp, lines);
	if (err)
		return err;
	if (!counts)
		return fail(-ENOMEM, "out of memory");
	for (size_t n = 0; n < dp->count; n++)
		stats_rules(&dp->interfaces[n], ruleset, counts);
	datapath_unlock(dp);
	(json ? &json_renderer : &table_renderer)->list(stdout, ruleset, counts);
	return 0;
}

/* Whether all doors that need it have somebody who makes their sequences. */
static void look_at_timed(struct status_view *view)
{
	view->served = true;
	for (size_t i = 0; i < view->ruleset->count; i++) {
		const struct rule *rule = &view->ruleset->rules[i];

		if (!rule->knock || !rule->knock->secret)
			continue;
		view->timed = true;
		view->served &= datapath_is_timed(view->dp, rule->door);
	}
}

int print_status(struct datapath *dp, bool json)
{
	struct status_view view = { .dp = dp };
	struct ruleset ruleset;
	int err;

	ruleset_init(&ruleset);
	err = datapath_rules_in_force(dp, &ruleset)
		      ?: datapath_refused_flows(dp, &view.refused);
	if (!err) {
		view.ruleset = &ruleset;
		view.pending = datapath_pending(dp);
		look_at_timed(&view);
		view.saved = saved_is_current(&ruleset);
		datapath_unlock(dp);
		(json ? &json_renderer : &table_renderer)->status(stdout, &view);
	}
	ruleset_clear(&ruleset);
	return err;
}
