/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading files with secrets: permissions are checked, memory is wiped. */
#ifndef SECRET_H
#define SECRET_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Call this before a secret is in memory. It disables core dumps, and debugging (ptrace) by
 * processes of the same user.
 */
void secrets_begin(void);

/*
 * Reads a text file that only its owner, the user or root, can read or write. Free *text
 * with secret_file_free(), which wipes the whole allocation, also after strsep() has split
 * it. Returns 0 or a negative errno; prints the reason, but nothing from the file.
 */
int secret_file_read(const char *path, char **text);
void secret_file_free(char *text);

/* Parses exactly 2 * `size` hexadecimal digits; returns false if the text is anything else. */
bool hex_parse(const char *text, __u8 *bytes, size_t size);

#endif
