// SPDX-License-Identifier: GPL-2.0-only
#include "main/commands.h"

#include <string.h>

#include "base/log.h"

/*
 * One line for each command: X(NAME) stands for cmd_NAME_entry, which is in the command's
 * own file.
 */
#define COMMANDS(X)                                                                            \
	X(attach)                                                                              \
	X(detach)                                                                              \
	X(status)                                                                              \
	X(allow)                                                                               \
	X(drop)                                                                                \
	X(reject)                                                                              \
	X(default)                                                                             \
	X(option)                                                                              \
	X(delete)                                                                              \
	X(knock)                                                                               \
	X(list)                                                                                \
	X(check)                                                                               \
	X(apply)                                                                               \
	X(confirm)                                                                             \
	X(rollback)                                                                            \
	X(restore)                                                                             \
	X(diff)                                                                                \
	X(save)                                                                                \
	X(stats)                                                                               \
	X(ports)                                                                               \
	X(audit)                                                                               \
	X(suggest)                                                                             \
	X(watch)                                                                               \
	X(services)                                                                            \
	X(doctor)                                                                              \
	X(explain)                                                                             \
	X(replay)                                                                              \
	X(top)                                                                                 \
	X(monitor)                                                                             \
	X(export)

#define DECLARE(name) extern const struct command cmd_##name##_entry;
#define ADDRESS(name) &cmd_##name##_entry,

COMMANDS(DECLARE)

const struct command *const commands[] = { COMMANDS(ADDRESS) NULL };

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	fail(0, "there is no command \"%s\": \"portctl help\" lists the commands", name);
	return NULL;
}
