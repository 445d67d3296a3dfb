/* SPDX-License-Identifier: GPL-2.0-only */
/* struct packet_case, one row of the tables in cases_*.h, and the macros for such rows. */
#ifndef PACKET_CASE_H
#define PACKET_CASE_H

#include "packet_builder.h"
#include "portctl/entry.h"
#include "portctl/key.h"

struct packet_case {
	const char *name;
	const char *rules;
	struct layer layers[LAYERS_MAX];
	enum verdict verdict;
	const char *line; /* charged: a rule's text, or a built-in line's name */
	__u32 key; /* of the port counter charged, or NO_PORT */
};

#define PASS VERDICT_PASS
#define DROP VERDICT_DROP
#define T(port) (PORT_KEY_TCP + (port))
#define U(port) (PORT_KEY_UDP + (port))
#define NO_PORT PORT_KEYS

#define MALFORMED DROP, "malformed", NO_PORT
#define NOT_IP PASS, "not-ip", NO_PORT
#define FRAGMENT PASS, "fragment", NO_PORT

/* clang-format off */
/* Two rows: the same packet over IPv4 and IPv6. Several layers go into L(). */
#define L(...) __VA_ARGS__
#define BOTH(name, rules, layers, ...) \
	{ name ", IPv4", rules, { IP4(), layers }, __VA_ARGS__ }, \
	{ name ", IPv6", rules, { IP6(), layers }, __VA_ARGS__ }

#define CLOSED \
	"default drop\n" \
	"allow 22/tcp\n" \
	"allow 53/udp\n" \
	"allow 80\n" \
	"allow 6000-6100/udp\n" \
	"allow gre\n"

/* For malformed packets: under default allow, only they are dropped. */
#define OPEN \
	"default allow\n" \
	"drop 22/tcp\n" \
	"allow 53/udp\n" \
	"allow 80\n" \
	"drop 6000-6100/udp\n" \
	"drop gre\n"

#define NO_FRAGMENTS OPEN "option fragments drop\n"

#define PROTOCOLS \
	"default drop\n" \
	"allow icmp\n" \
	"allow ipv6-icmp\n" \
	"drop ah\n" \
	"allow esp\n" \
	"allow sctp\n" \
	"allow ipv6\n" \
	"allow 51\n" /* a port, not the IP protocol 51 (AH) */

/* clang-format on */

#endif
