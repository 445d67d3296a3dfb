/* SPDX-License-Identifier: GPL-2.0-only */
/* What the data path needs from the kernel and the user, and what a refusal means. */
#ifndef NEEDS_H
#define NEEDS_H

/*
 * Probes the kernel for each feature that the programs use. Returns the first missing feature,
 * as words to follow "the kernel lacks", or NULL if nothing is missing. A process that may not
 * load programs gets a wrong answer.
 */
const char *needs_missing(void);

/*
 * The meaning of a negative errno from the functions of this folder, compile() or
 * assign_lines(), as words to follow a colon: the privilege to run with, the limit that was
 * exceeded, else strerror(3).
 */
const char *datapath_reason(int err);

#endif
