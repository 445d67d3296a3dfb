/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole files: reading, and replacing atomically. */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>

/*
 * Reads a whole file into *text, NUL-terminated, to be freed; *size does not count the NUL.
 * "-" is standard input. Returns 0 or a negative errno: -EFBIG if larger than 64 MiB, -EILSEQ
 * if the file has a NUL byte. On error *text and *size are unchanged.
 */
int file_read(const char *path, char **text, size_t *size);

/*
 * Replaces a file atomically: writes a new file .portctl.XXXXXX in the same folder, with mode
 * 0600, then renames it. Follows symbolic links of root and of the user, and replaces those
 * of others. Returns 0 or a negative errno: -EMEDIUMTYPE if the path is not a regular file.
 */
int file_write(const char *path, const char *text, size_t size);

/* Writes all `size` bytes to a descriptor. Returns 0 or a negative errno. */
int write_all(int fd, const char *text, size_t size);

#endif
