/* SPDX-License-Identifier: GPL-2.0-only */
/* Address prefixes, IPv4 and IPv6: parse, print, compare. */
#ifndef PREFIX_H
#define PREFIX_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

/* All addresses that share their first `length` bits. */
struct prefix {
	__u8 family; /* 4 or 6 */
	__u8 length; /* bits, at most 32 or 128 */
	__u8 address[16]; /* network byte order; IPv4 in the first four */
};

/* Room for an address as text, and for an error message of prefix_parse(), with the NUL. */
#define ADDRESS_TEXT 46
#define PREFIX_ERROR 128

/*
 * Parses "192.0.2.0/24" or "2001:db8::/32". An address without a length stands for itself
 * (/32 or /128). Returns 0, or -EINVAL with the reason in `expected`.
 */
int prefix_parse(const char *text, struct prefix *prefix, char expected[PREFIX_ERROR]);

/*
 * Parses the address of one host. An IPv4 address mapped into IPv6 becomes IPv4. Returns 0
 * or -EINVAL.
 */
int address_parse(const char *text, struct prefix *address);

/*
 * Turns an IPv4-mapped IPv6 prefix into the IPv4 prefix (RFC 4291, 2.5.5.2:
 * ::ffff:192.0.2.7 is 192.0.2.7). A socket that listens on both families reports IPv4 peers
 * that way. Returns false, and leaves the prefix alone, if it is not mapped.
 */
bool prefix_unmap(struct prefix *prefix);

/* Writes an address (network byte order; family 4 or 6) into `text`; returns `text`. */
const char *address_text(const __u8 *address, __u32 family, char text[ADDRESS_TEXT]);

/* Prints a prefix as prefix_parse() reads it; a whole address without a length. */
void prefix_print(const struct prefix *prefix, FILE *out);

/* Orders prefixes for qsort(): IPv4 first, then by address, then the shorter prefix. */
int prefix_compare(const void *left, const void *right);

/* Whether `outer` contains every address of `inner`. */
bool prefix_contains(const struct prefix *outer, const struct prefix *inner);

/* Returns the longest prefix that contains both. They must be of one family. */
struct prefix prefix_common(const struct prefix *one, const struct prefix *other);

/* Finds the first address after the prefix; false if the prefix ends the address space. */
bool prefix_next_address(const struct prefix *prefix, struct prefix *address);

#endif
