/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs ruleset_check() on a parsed text and keeps its messages. */
#ifndef CHECKED_H
#define CHECKED_H

#include "compile/check.h"
#include "unit.h"

/*
 * Checks `parsed` as ruleset_check() does: all rules for errors, those from index `first` on
 * for warnings. The messages are appended to parsed->messages. Returns ruleset_check()'s value.
 */
static inline int check(struct parsed *parsed, size_t first)
{
	int err = ruleset_check(&parsed->ruleset, first, &parsed->report);

	fflush(parsed->report.out);
	return err;
}

#endif
