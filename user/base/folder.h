/* SPDX-License-Identifier: GPL-2.0-only */
/* The folders that hold pins and locks; no other user may be able to change them. */
#ifndef FOLDER_H
#define FOLDER_H

#include <limits.h>

/*
 * Checks each existing folder of an absolute path: not a symbolic link, owned by root or by
 * the user, and not writable by others. A parent may be writable if it is sticky, like /tmp.
 * Returns 0 or a negative errno; prints the reason.
 */
int folder_check(const char *path);

/* The folder for locks: $PORTCTL_RUN, or /run/portctl. */
const char *run_folder(void);

/* Writes the path of a file in run_folder() to `path`. Returns the result of folder_check(). */
int run_path(const char *file, char path[PATH_MAX]);

#endif
