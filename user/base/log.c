// SPDX-License-Identifier: GPL-2.0-only
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/text.h"

static FILE *capture;

void log_capture(FILE *to)
{
	capture = to;
}

static FILE *log_out(void)
{
	return capture ?: stderr;
}

static void log_line(const char *begin, const char *format, va_list args)
{
	cleanup_free char *text = NULL;

	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		fprintf(log_out(), "%sout of memory\n", begin);
		return;
	}
	text_hide_controls(text); /* it may quote a file or a packet */
	fprintf(log_out(), "%s%s\n", begin, text);
}

int fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("portctl: ", format, args);
	va_end(args);
	return err;
}

int out_of_memory(void)
{
	return fail(-ENOMEM, "out of memory");
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("portctl: note: ", format, args);
	va_end(args);
}
