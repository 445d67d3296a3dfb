/* SPDX-License-Identifier: GPL-2.0-only */
/* A term: ports, or one IP protocol, as rules name them. Parse, print, compare. */
#ifndef TERM_H
#define TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "rules/names.h"

/* The ports first..last (host byte order, both included), or one IP protocol. */
struct term {
	__u8 transports; /* enum transport; 0: an IP protocol without ports */
	__u8 protocol; /* number of the IP protocol if `transports` is 0 */
	__u16 first;
	__u16 last;
};

/*
 * Parses the first `length` characters of text: a port, a range, or the name of a service
 * or IP protocol, as in "22", "6000-6100/udp", "ssh", "gre" or "47/ip". Fills terms[0], and
 * terms[1] if a service has two ports. Returns the number of terms, or -EINVAL with the
 * reason in *expected.
 */
int term_parse(const char *text, size_t length, struct term terms[2], const char **expected);

/* Prints a term as term_parse() reads it, as in "6000-6100/udp". */
void term_print(const struct term *term, FILE *out);

/*
 * Orders terms for qsort(): ports first, by their first and last port, TCP before UDP before
 * both; then IP protocols by number. Returns 0 only for equal terms.
 */
int term_compare(const void *left, const void *right);

/* Whether the term names this port key (enum key, below PORT_KEYS). */
bool term_has_key(const struct term *term, __u32 key);

#endif
