/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes that free or close a variable when it goes out of scope. */
#ifndef CLEANUP_H
#define CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup_free __attribute__((cleanup(free_cleanup)))
#define cleanup_close __attribute__((cleanup(close_cleanup)))
#define cleanup_file __attribute__((cleanup(file_cleanup)))
#define cleanup_dir __attribute__((cleanup(dir_cleanup)))

/*
 * Takes ownership from a cleanup variable: evaluates to the value of `pointer` and sets
 * `pointer` to NULL, so that the cleanup frees nothing.
 */
#define TAKE_PTR(pointer)                                                                      \
	({                                                                                     \
		typeof(pointer) taken = pointer;                                               \
		pointer = NULL;                                                                \
		taken;                                                                         \
	})

static inline void free_cleanup(void *pointer)
{
	free(*(void **)pointer);
}

static inline void close_cleanup(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void file_cleanup(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void dir_cleanup(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#endif
