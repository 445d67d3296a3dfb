/* SPDX-License-Identifier: GPL-2.0-only */
/* Folders that what decides about packets is kept in: nobody else may have a hand in them. */
#ifndef FOLDER_H
#define FOLDER_H

#include <limits.h>

/*
 * Checks a path from the top on, as far as it is there: no symbolic links, folders of
 * root's or of our own only, and none that others may write to (above the last one a
 * sticky folder, like /tmp, will do). Returns 0 or a negative errno, having said what
 * is wrong.
 */
int folder_check(const char *path);

/* The folder for locks: PORTCTL_RUN. */
const char *run_folder(void);

/* The path of a file there. Returns what folder_check() does for that folder. */
int run_path(const char *file, char path[PATH_MAX]);

#endif
