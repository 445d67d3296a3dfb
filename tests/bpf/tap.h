/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints results in the Test Anything Protocol: one line for each test, then why it failed. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct tap {
	unsigned int count;
	unsigned int failed;
	FILE *out; /* what is wrong in the current test, collected in `why`; NULL: nothing */
	char *why;
	size_t size;
};

static struct tap tap;

/*
 * Returns how often to repeat something: `count`, divided by the environment variable SLOW,
 * which is set on slow machines such as a guest without KVM.
 */
static inline unsigned int repeats(unsigned int count)
{
	const char *slow = getenv("SLOW");
	unsigned int less = slow ? strtoul(slow, NULL, 10) : 1;

	return less > 1 ? count / less : count;
}

/* Notes that something is wrong. The current test has failed. */
__attribute__((format(printf, 1, 2))) static inline void tap_wrong(const char *format, ...)
{
	va_list args;

	if (!tap.out)
		tap.out = open_memstream(&tap.why, &tap.size);
	if (!tap.out)
		exit(1);
	fputs("# ", tap.out);
	va_start(args, format);
	vfprintf(tap.out, format, args);
	va_end(args);
	fputc('\n', tap.out);
}

/* Notes up to 16 bytes in hexadecimal, behind a tap_wrong() about them. */
static inline void tap_wrong_bytes(const unsigned char *bytes, unsigned int count)
{
	char text[3 * 16 + 1] = "";

	for (unsigned int i = 0; i < count && i < 16; i++)
		snprintf(text + 3 * i, 4, " %02x", bytes[i]);
	tap_wrong("%s", text);
}

/* Ends the current test and prints its name. It has passed unless tap_wrong() was called. */
__attribute__((format(printf, 1, 2))) static inline void tap_end(const char *format, ...)
{
	va_list args;

	tap.count++;
	printf("%s %u - ", tap.out ? "not ok" : "ok", tap.count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!tap.out)
		return;
	tap.failed++;
	fclose(tap.out);
	fputs(tap.why, stdout);
	free(tap.why);
	tap.out = NULL;
	tap.why = NULL;
}

/* Ends the program: nothing more can be tested. */
__attribute__((format(printf, 1, 2), noreturn)) static inline void tap_bail(const char *format,
									    ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(1);
}

/* Prints the plan. Returns the exit code of main(). */
static inline int tap_done(void)
{
	printf("1..%u\n", tap.count);
	return tap.failed || !tap.count;
}

#endif
