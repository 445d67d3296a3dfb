/* SPDX-License-Identifier: GPL-2.0-only */
/* Address prefixes: what "from" names. */
#ifndef PREFIX_H
#define PREFIX_H

#include "rules/ruleset.h"

/*
 * Parses "192.0.2.0/24" or "2001:db8::1" (a whole address: all bits). Returns 0,
 * or -EINVAL with the reason in `expected`, at least 128 bytes.
 */
int prefix_parse(const char *text, struct prefix *prefix, char *expected);

/*
 * Parses a whole address, of one host; one of IPv4 mapped into IPv6 is that of IPv4.
 * Returns 0, or -EINVAL and says nothing.
 */
int address_parse(const char *text, struct prefix *address);

/*
 * Makes of addresses of IPv4 mapped into IPv6, which is how a socket for both shows them
 * (RFC 4291, 2.5.5.2: ::ffff:192.0.2.7), those of IPv4. False where they are others.
 */
bool prefix_unmap(struct prefix *prefix);

/* The text of an address (network byte order), which is at most ADDRESS_TEXT long. */
#define ADDRESS_TEXT 46
const char *address_text(const __u8 *address, __u32 family, char text[ADDRESS_TEXT]);

/* Prints a prefix as prefix_parse() reads it; a whole address without a length. */
void prefix_print(const struct prefix *prefix, FILE *out);

/* Order: IPv4 first, by address, and a prefix before those within it. */
int prefix_compare(const void *left, const void *right);

/* Whether every address of `inner` is one of `outer`. */
bool prefix_contains(const struct prefix *outer, const struct prefix *inner);

/* The longest prefix that contains both, which are of one family. */
struct prefix prefix_common(const struct prefix *one, const struct prefix *other);

/* The first address behind it; false where there is none. */
bool prefix_behind(const struct prefix *prefix, struct prefix *address);

#endif
