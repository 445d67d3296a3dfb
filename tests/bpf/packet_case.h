/* SPDX-License-Identifier: GPL-2.0-only */
/* One row of the tables cases_*.h, and the words they are written in. */
#ifndef PACKET_CASE_H
#define PACKET_CASE_H

#include "packet_builder.h"
#include "portctl.h"

struct packet_case {
	const char *name;
	const char *rules;
	struct layer layers[LAYERS_MAX];
	enum verdict verdict;
	const char *line; /* a rule as it stands in the rules, or a built-in line's name */
	__u32 key; /* the port counter */
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
/* Two rows, the same packet over IPv4 and IPv6; several layers go in L(). */
#define L(...) __VA_ARGS__
#define BOTH(name, rules, layers, ...) \
	{ name " over IPv4", rules, { IP4(), layers }, __VA_ARGS__ }, \
	{ name " over IPv6", rules, { IP6(), layers }, __VA_ARGS__ }

#define CLOSED \
	"default drop\n" \
	"allow 22/tcp\n" \
	"allow 53/udp\n" \
	"allow 80\n" \
	"allow 6000-6100/udp\n" \
	"allow gre\n"

/* What is wrong is dropped where all else passes: malformed packets meet this one. */
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
	"allow 51\n" /* a port; the protocol 51 is not it */

/* clang-format on */

#endif
