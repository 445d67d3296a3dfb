/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the fuzz targets: turns an input into a file or string, discards output. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Discards all messages. Returns a stream to /dev/null. */
static inline FILE *nowhere(void)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	log_capture(out);
	return out;
}

/* Returns the input as a string that the caller frees, or NULL if it contains a NUL. */
static inline char *input_text(const uint8_t *data, size_t size)
{
	char *text = memchr(data, 0, size) ? NULL : malloc(size + 1);

	if (text) {
		memcpy(text, data, size);
		text[size] = 0;
	}
	return text;
}

/* Returns the path of a file with the input and mode 0600, valid until the next call. */
static inline const char *input_file(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || fchmod(fd, 0600) || ftruncate(fd, 0) ||
	    pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	return path;
}

#endif
