// SPDX-License-Identifier: GPL-2.0-only
#include "log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *capture;

void log_capture(FILE *to)
{
	capture = to;
}

static FILE *log_out(void)
{
	return capture ?: stderr;
}

/* What is quoted comes from elsewhere, and must not steer a terminal nor begin a line. */
static void hide_controls(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		/* U+0080 to U+009F as well: C2 80 to C2 9F. */
		if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0)
			at[0] = at[1] = '?';
		else if (iscntrl(*at))
			*at = '?';
	}
}

static void say(const char *begin, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0) {
		fprintf(log_out(), "%sout of memory\n", begin);
		return;
	}
	hide_controls(text);
	fprintf(log_out(), "%s%s\n", begin, text);
	free(text);
}

int fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("portctl: ", format, args);
	va_end(args);
	return err;
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("portctl: note: ", format, args);
	va_end(args);
}
