/* SPDX-License-Identifier: GPL-2.0-only */
/* What every command is, and what several of them do alike. */
#ifndef COMMAND_H
#define COMMAND_H

#include "kernel/datapath.h"
#include "kernel/datapath_rules.h"

/* Exit codes. */
enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct command {
	const char *name;
	const char *arguments; /* as usage shows them */
	const char *summary; /* one line */
	const char *help; /* the rest, or NULL */
	/* Or NULL, where it is a program of its own: see program.h. */
	int (*run)(const struct command *command, int argc, char **argv);
	__u64 privileges; /* what it may keep: see privileges.h */
};

/* All of them. */
extern const struct command commands[];
extern const size_t command_count;

int cmd_attach(const struct command *command, int argc, char **argv);
int cmd_detach(const struct command *command, int argc, char **argv);
int cmd_status(const struct command *command, int argc, char **argv);
int cmd_rule(const struct command *command, int argc, char **argv);
int cmd_setting(const struct command *command, int argc, char **argv);
int cmd_delete(const struct command *command, int argc, char **argv);
int cmd_knock(const struct command *command, int argc, char **argv);
/* "knock key NAME" and "knock send HOST NAME ...": what needs no privileges. */
int knock_key(const struct command *command, int argc, char **argv);
int knock_send(const struct command *command, int argc, char **argv);
/* "knock sequence NAME", "knock now HOST NAME" and "knock serve": timed sequences. */
int knock_sequence(const struct command *command, int argc, char **argv);
int knock_now(const struct command *command, int argc, char **argv);
int knock_serve(const struct command *command, int argc, char **argv);
/* "knock import FILE": what can be made of a configuration of knockd. */
int knock_import(const struct command *command, int argc, char **argv);
/* The knock of that name, or NULL after saying that there is none. */
const struct rule *knock_of_name(const struct ruleset *ruleset, const char *name);

int cmd_list(const struct command *command, int argc, char **argv);
int cmd_check(const struct command *command, int argc, char **argv);
int cmd_apply(const struct command *command, int argc, char **argv);
int cmd_diff(const struct command *command, int argc, char **argv);
int cmd_save(const struct command *command, int argc, char **argv);
int cmd_stats(const struct command *command, int argc, char **argv);
int cmd_explain(const struct command *command, int argc, char **argv);
int cmd_doctor(const struct command *command, int argc, char **argv);
int cmd_services(const struct command *command, int argc, char **argv);
int cmd_watch(const struct command *command, int argc, char **argv);
int cmd_audit(const struct command *command, int argc, char **argv);
int cmd_suggest(const struct command *command, int argc, char **argv);
int cmd_ports(const struct command *command, int argc, char **argv);
int cmd_monitor(const struct command *command, int argc, char **argv);
int cmd_confirm(const struct command *command, int argc, char **argv);
int cmd_restore(const struct command *command, int argc, char **argv);
int cmd_rollback(const struct command *command, int argc, char **argv);

/* Says how the command is used, on standard error; returns EXIT_USAGE. */
int usage(const struct command *command);

/*
 * Takes "-j" or "--json", the only option of many commands, out of argv and
 * leaves the words. Returns their number (argv[0] is the command's name), or -1
 * after saying which option is unknown.
 */
int options_json(int argc, char **argv, bool *json);

/* The options of the commands that change the rules. */
struct change {
	bool json;
	bool force; /* do not look at the open connections */
	__u32 seconds; /* --confirm: go back after them; 0: not said */
};

/* Takes "-j", "--force" and "--confirm TIME" out of argv; like options_json(). */
int options_change(int argc, char **argv, struct change *change);

/*
 * Makes *next, which rules_read() has checked, the running ruleset, unless that would shut
 * out an open connection. Returns 0 or a negative errno, having said what is wrong.
 */
int commit_file(struct datapath *dp, struct ruleset *next, const struct change *change);

/*
 * The same for what a command has made of the running rules. It is checked as a whole,
 * so that what runs, and is saved, can be applied and restored.
 */
int commit_edit(struct datapath *dp, struct ruleset *next, const struct change *change);

/* Says why a file cannot be read; returns `err`. */
int fail_read(int err, const char *path);

/*
 * Reads and checks a ruleset file. Returns 0 or a negative errno, having said on
 * standard error what is wrong and where.
 */
int rules_read(const char *path, struct ruleset *ruleset);

/* Lets a report warn of what listens on this host. */
void see_listeners(struct report *report);

/*
 * Parses words of the command line, which begin with `first`, as one statement
 * into an initialised ruleset; wrong ones are reported as "argv:1:COLUMN: ...".
 */
int words_parse(const char *first, int count, char **words, struct ruleset *ruleset);

/* Prints what `list` prints, for a ruleset with its lines. */
int print_list(struct datapath *dp, const struct ruleset *ruleset, bool json);

/* Prints what `status` prints. */
int print_status(struct datapath *dp, bool json);

#endif
