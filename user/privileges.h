/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving up what a process that goes on running does not need. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

/*
 * Keeps one capability (CAP_..., if the process has it; -1: none) and can never get
 * another, not by executing a program either. Returns 0 or a negative errno.
 */
int privileges_keep(int capability);

/*
 * Becomes "nobody" without any capability, who can start no process, write to no
 * file and open so many descriptors at most.
 */
int privileges_none(unsigned int descriptors);

#endif
