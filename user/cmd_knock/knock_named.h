/* SPDX-License-Identifier: GPL-2.0-only */
/* Knocks by their name. */
#ifndef KNOCK_NAMED_H
#define KNOCK_NAMED_H

#include "rules/ruleset.h"

/* The knock of that name; NULL, with the error printed, if there is none. */
const struct rule *knock_named(const struct ruleset *ruleset, const char *name);

#endif
