/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzz targets share: an input as a file, and nothing that is printed. */
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

/* Where messages go. */
static inline FILE *nowhere(void)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	log_capture(out);
	return out;
}

/* The input as a string, to be freed; NULL where it has a NUL in it. */
static inline char *input_text(const uint8_t *data, size_t size)
{
	char *text = memchr(data, 0, size) ? NULL : malloc(size + 1);

	if (text) {
		memcpy(text, data, size);
		text[size] = 0;
	}
	return text;
}

/* The input as a file that only we may read; its path is good until the next call. */
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
