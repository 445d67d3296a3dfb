// SPDX-License-Identifier: GPL-2.0-only
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

static FILE *capture;

void log_capture(FILE *to)
{
	capture = to;
}

static FILE *log_out(void)
{
	return capture ?: stderr;
}

int fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("portctl: ", log_out());
	vfprintf(log_out(), format, args);
	fputc('\n', log_out());
	va_end(args);
	return err;
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("portctl: note: ", log_out());
	vfprintf(log_out(), format, args);
	fputc('\n', log_out());
	va_end(args);
}
