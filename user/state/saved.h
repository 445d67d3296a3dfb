/* SPDX-License-Identifier: GPL-2.0-only */
/* The saved ruleset: its path, and what of the running rules is saved. */
#ifndef SAVED_H
#define SAVED_H

#include "rules/ruleset.h"

/* The path of the saved ruleset: $PORTCTL_RULES, or /etc/portctl/rules. */
const char *saved_path(void);

/* The path of the list of interfaces beside it. Valid until the next call. */
const char *saved_interfaces_path(void);

/* Prints a ruleset as it is saved: without the rules that have a "for". */
void saved_print(const struct ruleset *ruleset, FILE *out);

/*
 * Copies the part of `running` that is saved into *lasting, which must be initialised.
 * Returns 0, -ENOMEM or -EINVAL; only -EINVAL was reported to a person.
 */
int saved_copy(const struct ruleset *running, struct ruleset *lasting);

/*
 * Whether the saved ruleset can be read and is equal to `running`, not counting rules that
 * have a "for".
 */
bool saved_is_current(const struct ruleset *running);

#endif
