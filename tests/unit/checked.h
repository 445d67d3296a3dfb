/* SPDX-License-Identifier: GPL-2.0-only */
/* Checking rules that were parsed, and reading what is said of them. */
#ifndef CHECKED_H
#define CHECKED_H

#include "compile/compile.h"
#include "unit.h"

/* The messages of the check end up in parsed->messages. */
static inline int check(struct parsed *parsed, size_t first)
{
	int err = ruleset_check(&parsed->ruleset, first, &parsed->report);

	fflush(parsed->report.out);
	return err;
}

#endif
