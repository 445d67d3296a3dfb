/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of all commands. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cli/command.h"

/* The entries, in the order of help; NULL ends the list. */
extern const struct command *const commands[];

/* The command of that name; NULL, with the error printed, if there is none. */
const struct command *commands_find(const char *name);

#endif
