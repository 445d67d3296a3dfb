/* SPDX-License-Identifier: GPL-2.0-only */
/* The Test Anything Protocol: a line for each test, and why under those that failed. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct tap {
	unsigned int count;
	unsigned int failed;
	FILE *out; /* collects what the test under way found wrong */
	char *why;
	size_t size;
};

static struct tap tap;

/*
 * How often something is repeated: SLOW times less on a machine where each takes long, as
 * in a guest without KVM.
 */
static inline unsigned int repeats(unsigned int count)
{
	const char *slow = getenv("SLOW");
	unsigned int less = slow ? strtoul(slow, NULL, 10) : 1;

	return less > 1 ? count / less : count;
}

/* Notes something wrong with the test under way: it has failed. */
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

/* The bytes that something wrong is about. */
static inline void tap_wrong_bytes(const unsigned char *bytes, unsigned int count)
{
	char text[3 * 16 + 1] = "";

	for (unsigned int i = 0; i < count && i < 16; i++)
		snprintf(text + 3 * i, 4, " %02x", bytes[i]);
	tap_wrong("%s", text);
}

/* Ends the test under way; it is right unless tap_wrong() was called for it. */
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

/* Nothing can be tested any more. */
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

/* Prints the plan; what main() returns. */
static inline int tap_done(void)
{
	printf("1..%u\n", tap.count);
	return tap.failed || !tap.count;
}

#endif
