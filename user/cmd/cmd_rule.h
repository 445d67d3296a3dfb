/* SPDX-License-Identifier: GPL-2.0-only */
/* Adding a rule, for allow, drop and reject, and for knock. */
#ifndef CMD_RULE_H
#define CMD_RULE_H

#include "cli/command.h"

/* Adds the rule that the command's name and words are. Has the signature of command.run. */
int cmd_rule_run(const struct command *command, int argc, char **argv);

#endif
