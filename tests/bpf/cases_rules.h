/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet cases for the choice of the rule: well-formed packets to many ports and protocols. */
#ifndef CASES_RULES_H
#define CASES_RULES_H

#include "packet_case.h"

/* clang-format off */
#define ENDS \
	"default drop\n" \
	"allow 0\n" \
	"allow 1/tcp\n" \
	"drop 65535/tcp\n" \
	"allow 65535/udp\n"

#define WHOLE \
	"default drop\n" \
	"allow 0-65535/tcp\n" \
	"drop 0-65535/udp\n"

#define NESTED \
	"default drop\n" \
	"allow 1000-1999\n" \
	"drop 1500-1599\n" \
	"allow 1550\n" \
	"drop 1550/tcp\n" \
	"allow 3000-3999/tcp\n" \
	"drop 3500-3599\n" \
	"allow 3000-3999\n"

static const struct packet_case cases_rules[] = {
	BOTH("TCP to an allowed port", CLOSED, TCP(22), PASS, "allow 22/tcp", T(22)),
	BOTH("UDP to a port allowed for TCP only", CLOSED, UDP(22), DROP, "default", U(22)),
	BOTH("UDP to an allowed port", CLOSED,
	     L(UDP(53), DATA(30)), PASS, "allow 53/udp", U(53)),
	BOTH("TCP to a port allowed for UDP only", CLOSED, TCP(53), DROP, "default", T(53)),
	BOTH("TCP to a port allowed for both", CLOSED, TCP(80), PASS, "allow 80", T(80)),
	BOTH("UDP to a port allowed for both", CLOSED, UDP(80), PASS, "allow 80", U(80)),
	BOTH("TCP to a port that no rule names", CLOSED, TCP(443), DROP, "default", T(443)),
	BOTH("TCP to a dropped port", OPEN, TCP(22), DROP, "drop 22/tcp", T(22)),
	BOTH("UDP beside a port dropped for TCP", OPEN, UDP(22), PASS, "default", U(22)),
	BOTH("UDP into a dropped range", OPEN, UDP(6050), DROP, "drop 6000-6100/udp", U(6050)),
	BOTH("TCP beside a range dropped for UDP", OPEN, TCP(6050), PASS, "default", T(6050)),
	BOTH("data behind a TCP header", CLOSED,
	     L(TCP(22), DATA(1000)), PASS, "allow 22/tcp", T(22)),

	BOTH("the port before a range", CLOSED, UDP(5999), DROP, "default", U(5999)),
	BOTH("a range's first port", CLOSED, UDP(6000), PASS, "allow 6000-6100/udp", U(6000)),
	BOTH("a range's last port", CLOSED, UDP(6100), PASS, "allow 6000-6100/udp", U(6100)),
	BOTH("the port after a range", CLOSED, UDP(6101), DROP, "default", U(6101)),

	BOTH("TCP port 0", ENDS, TCP(0), PASS, "allow 0", T(0)),
	BOTH("UDP port 0", ENDS, UDP(0), PASS, "allow 0", U(0)),
	BOTH("TCP port 1", ENDS, TCP(1), PASS, "allow 1/tcp", T(1)),
	BOTH("UDP port 1", ENDS, UDP(1), DROP, "default", U(1)),
	BOTH("TCP port 65535", ENDS, TCP(65535), DROP, "drop 65535/tcp", T(65535)),
	BOTH("UDP port 65535", ENDS, UDP(65535), PASS, "allow 65535/udp", U(65535)),
	BOTH("TCP port 65534", ENDS, TCP(65534), DROP, "default", T(65534)),
	BOTH("TCP port 0 in 0-65535", WHOLE, TCP(0), PASS, "allow 0-65535/tcp", T(0)),
	BOTH("TCP port 65535 in 0-65535", WHOLE,
	     TCP(65535), PASS, "allow 0-65535/tcp", T(65535)),
	BOTH("UDP port 0 in 0-65535", WHOLE, UDP(0), DROP, "drop 0-65535/udp", U(0)),
	BOTH("UDP port 65535 in 0-65535", WHOLE,
	     UDP(65535), DROP, "drop 0-65535/udp", U(65535)),

	BOTH("outside the wide range", NESTED, TCP(999), DROP, "default", T(999)),
	BOTH("in the wide range", NESTED, TCP(1499), PASS, "allow 1000-1999", T(1499)),
	BOTH("a narrower range wins at its first port", NESTED,
	     TCP(1500), DROP, "drop 1500-1599", T(1500)),
	BOTH("a narrower range wins at its last port", NESTED,
	     UDP(1599), DROP, "drop 1500-1599", U(1599)),
	BOTH("past the narrower range", NESTED, UDP(1600), PASS, "allow 1000-1999", U(1600)),
	BOTH("a port wins over ranges", NESTED, UDP(1550), PASS, "allow 1550", U(1550)),
	BOTH("one protocol wins over both", NESTED, TCP(1550), DROP, "drop 1550/tcp", T(1550)),
	BOTH("of equal ranges, one protocol wins over both", NESTED,
	     TCP(3000), PASS, "allow 3000-3999/tcp", T(3000)),
	BOTH("the range for both protocols has the other", NESTED,
	     UDP(3000), PASS, "allow 3000-3999", U(3000)),
	BOTH("the narrower range wins over one protocol", NESTED,
	     TCP(3550), DROP, "drop 3500-3599", T(3550)),

	BOTH("GRE, allowed", CLOSED, L(NEXT(47), DATA(24)), PASS, "allow gre", NO_PORT),
	BOTH("GRE, dropped", OPEN, L(NEXT(47), DATA(24)), DROP, "drop gre", NO_PORT),
	BOTH("GRE without data", CLOSED, NEXT(47), PASS, "allow gre", NO_PORT),
	BOTH("ESP", PROTOCOLS, L(NEXT(50), DATA(40)), PASS, "allow esp", NO_PORT),
	BOTH("ESP, by default", OPEN, L(NEXT(50), DATA(40)), PASS, "default", NO_PORT),
	BOTH("SCTP has no port counter", PROTOCOLS,
	     L(NEXT(132), DATA(12)), PASS, "allow sctp", NO_PORT),
	BOTH("ICMP", PROTOCOLS, L(NEXT(1), DATA(64)), PASS, "allow icmp", NO_PORT),
	BOTH("ICMPv6", PROTOCOLS, L(NEXT(58), DATA(32)), PASS, "allow ipv6-icmp", NO_PORT),
	BOTH("ICMP, by default", CLOSED, L(NEXT(1), DATA(64)), DROP, "default", NO_PORT),
	BOTH("IPv6 as payload", PROTOCOLS, L(NEXT(41), DATA(60)), PASS, "allow ipv6", NO_PORT),
	BOTH("UDP-Lite is not UDP", OPEN, L(NEXT(136), DATA(20)), PASS, "default", NO_PORT),
	BOTH("protocol 255", OPEN, L(NEXT(255), DATA(20)), PASS, "default", NO_PORT),
	{ "protocol 0 over IPv4", CLOSED,
	  { IP4(), NEXT(0), DATA(8) }, DROP, "default", NO_PORT },
	{ "AH over IPv4 is not skipped", PROTOCOLS,
	  { IP4(), AUTH(24), TCP(22) }, DROP, "drop ah", NO_PORT },
	{ "IPv6's fragment header over IPv4 is not skipped", OPEN,
	  { IP4(), FRAGMENT6(MF6), TCP(22) }, PASS, "default", NO_PORT },
	{ "no next header", OPEN, { IP6(), NEXT(59) }, PASS, "default", NO_PORT },
	{ "no next header, but data", CLOSED,
	  { IP6(), NEXT(59), DATA(9) }, DROP, "default", NO_PORT },
};
/* clang-format on */

#endif
