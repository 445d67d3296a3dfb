/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs need of the kernel. */
#ifndef NEEDS_H
#define NEEDS_H

/*
 * Asks the kernel for each thing that the data path is built on. Returns the first that it
 * lacks, in words that follow "the kernel lacks", or NULL. Whoever may not load programs
 * gets no true answer.
 */
const char *missing_feature(void);

#endif
