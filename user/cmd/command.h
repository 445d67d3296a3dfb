/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands that have no entry of their own yet. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "cli/change.h"
#include "cli/command.h"
#include "cli/rules_file.h"
#include "cli/show.h"
#include "cli/words.h"
#include "rules/ruleset.h"

int cmd_stats(const struct command *command, int argc, char **argv);
int cmd_explain(const struct command *command, int argc, char **argv);
int cmd_doctor(const struct command *command, int argc, char **argv);
int cmd_services(const struct command *command, int argc, char **argv);
int cmd_watch(const struct command *command, int argc, char **argv);
int cmd_audit(const struct command *command, int argc, char **argv);
int cmd_suggest(const struct command *command, int argc, char **argv);
int cmd_ports(const struct command *command, int argc, char **argv);
int cmd_monitor(const struct command *command, int argc, char **argv);

/* Takes -j out of argv; returns the number of words, argv[0] included, or -1. */
int parse_json(int argc, char **argv, bool *json);

/* The same for the options of a change. */
int parse_change(int argc, char **argv, struct change *change);

#endif
