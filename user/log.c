// SPDX-License-Identifier: GPL-2.0-only
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

int fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("portctl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return err;
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("portctl: note: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}
