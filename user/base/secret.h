/* SPDX-License-Identifier: GPL-2.0-only */
/* Files with secrets in them: who may read them, and that they are wiped. */
#ifndef SECRET_H
#define SECRET_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * To be called before a secret is in memory: from then on no core is dumped, and no
 * process of the same user can look into this one.
 */
void secrets_begin(void);

/*
 * Reads a file of text that nobody but its owner, the caller or root, can read or
 * write. *text is to be freed by secret_file_free(), which wipes it; its length does
 * not change (strsep() leaves the secrets behind its zeros). Returns 0 or a negative
 * errno, having said what is wrong, and never what is in the file.
 */
int secret_file_read(const char *path, char **text);
void secret_file_free(char *text);

/* Reads just `size` bytes as hexadecimal digits; false where it is anything else. */
bool hex_parse(const char *text, __u8 *bytes, size_t size);

#endif
