/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packet cases in which the port alone does not decide: sources, rules without ports, expired
 * rules, lifelines. Packets come from 192.0.2.1 or 2001:db8::. A line is "#2" for the second
 * rule, or a built-in name. Rules with "for 1s" have expired, see filter_rules().
 */
#ifndef CASES_JUDGE_H
#define CASES_JUDGE_H

#include "packet_case.h"

/* clang-format off */
#define NEAR "from 192.0.2.0/24, 2001:db8::/32\n"
#define NEAR_ENDED "from 192.0.2.0/24, 2001:db8::/32 for 1s\n"
#define FAR "from 192.0.3.0/24, 2001:db9::/32\n"
#define SHUT "default drop\n"

#define TCP_NEAR SHUT "allow 22/tcp " NEAR

static const struct packet_case cases_sources[] = {
	BOTH("the source matches", TCP_NEAR, TCP(22), PASS, "#1", T(22)),
	BOTH("the source matches, the protocol not", TCP_NEAR, UDP(22), DROP, "default", U(22)),
	BOTH("the source does not match", SHUT "allow 22 " FAR,
	     TCP(22), DROP, "default", T(22)),
	BOTH("adjacent addresses do not match",
	     SHUT "allow 22 from 192.0.2.0, 192.0.2.2, 2001:db8::1",
	     TCP(22), DROP, "default", T(22)),
	BOTH("a single address matches", SHUT "allow 22 from 192.0.2.1, 2001:db8::",
	     UDP(22), PASS, "#1", U(22)),
	BOTH("a prefix of length 0 matches", SHUT "allow 22 from 0.0.0.0/0, ::/0",
	     TCP(22), PASS, "#1", T(22)),
	{ "0.0.0.0/0 does not match IPv6", SHUT "allow 22 from 0.0.0.0/0",
	  { IP6(), TCP(22) }, DROP, "default", T(22) },
	{ "::/0 does not match IPv4", SHUT "allow 22 from ::/0",
	  { IP4(), TCP(22) }, DROP, "default", T(22) },
	{ "an IPv4 prefix does not match the same bits of IPv6",
	  SHUT "allow 22 from 32.0.0.0/8, 32.1.13.184",
	  { IP6(), TCP(22) }, DROP, "default", T(22) },
	{ "an IPv6 prefix does not match the same bits of IPv4",
	  SHUT "allow 22 from c000::/8, c000:201::/32",
	  { IP4(), TCP(22) }, DROP, "default", T(22) },
	BOTH("the longest prefix wins", SHUT "allow 22 from 192.0.0.0/16, 2001::/16\n"
	     "drop 22 " NEAR "allow 22 from 0.0.0.0/0, ::/0", TCP(22), DROP, "#2", T(22)),
	BOTH("a rule with the source wins over one without", "drop 22\nallow 22 " NEAR,
	     TCP(22), PASS, "#2", T(22)),
	BOTH("no match: the rule without sources decides", "drop 22\nallow 22 " FAR,
	     TCP(22), DROP, "#1", T(22)),
	BOTH("no match: a wider range decides", "drop 20-30\nallow 22 " FAR,
	     TCP(22), DROP, "#1", T(22)),
	BOTH("no match: a wider range with the source decides",
	     SHUT "allow 20-30 " NEAR "drop 22 " FAR,
	     TCP(22), PASS, "#1", T(22)),
	BOTH("no match: a rule for both protocols decides",
	     SHUT "allow 22 " NEAR "drop 22/tcp " FAR,
	     TCP(22), PASS, "#1", T(22)),
	BOTH("the source wins over the interface", SHUT "drop 22 " NEAR "allow 22 on test0",
	     TCP(22), DROP, "#1", T(22)),
	BOTH("the interface decides between equal sources",
	     SHUT "drop 22 " NEAR "allow 22 on test0 " NEAR,
	     TCP(22), PASS, "#2", T(22)),
	BOTH("a rule for another interface does not count",
	     SHUT "drop 22 " NEAR "allow 22 on test1 " NEAR,
	     TCP(22), DROP, "#1", T(22)),
	BOTH("GRE", SHUT "allow gre " NEAR, L(NEXT(47), DATA(9)), PASS, "#1", NO_PORT),
	{ "the source matches, with IPv4 options", TCP_NEAR,
	  { IP4(.size = 40), TCP(22) }, PASS, "#1", T(22) },
	{ "the source matches, a first fragment", TCP_NEAR,
	  { IP4(.fragment = MF4), TCP(22) }, PASS, "#1", T(22) },
	{ "the source matches, with extension headers", TCP_NEAR,
	  { IP6(), HOPS(8), ROUTING(24), OPTIONS(64), TCP(22) }, PASS, "#1", T(22) },
	{ "the source matches, a first fragment with extension headers", TCP_NEAR,
	  { IP6(), HOPS(8), FRAGMENT6(MF6), TCP(22) }, PASS, "#1", T(22) },
};

#define PORTLESS "default allow\noption neighbours off\n" \
	"drop " NEAR "allow 22 from 192.0.2.1, 2001:db8::\n"
#define PORTLESS_FAR "default allow\ndrop " FAR
#define PORTLESS_ALLOW SHUT "option fragments drop\noption echo off\nallow " NEAR "drop 22\n"

static const struct packet_case cases_portless[] = {
	BOTH("to a port that a rule allows", PORTLESS, TCP(22), DROP, "#1", T(22)),
	BOTH("to a port", PORTLESS, UDP(53), DROP, "#1", U(53)),
	BOTH("GRE", PORTLESS, NEXT(47), DROP, "#1", NO_PORT),
	{ "an echo request", PORTLESS, { IP4(), ICMP4(8) }, DROP, "#1", NO_PORT },
	{ "an ICMP error", PORTLESS, { IP4(), ICMP4(3) }, DROP, "#1", NO_PORT },
	{ "an ICMPv6 error", PORTLESS, { IP6(), ICMP6(2) }, DROP, "#1", NO_PORT },
	{ "a neighbour solicitation", PORTLESS,
	  { IP6(), HOPS(8), ICMP6(135) }, DROP, "#1", NO_PORT },
	{ "a later fragment", PORTLESS,
	  { IP4(.fragment = AT4(80)), NEXT(17), DATA(8) }, DROP, "#1", NO_PORT },
	{ "a later fragment of IPv6", PORTLESS,
	  { IP6(), HOPS(8), FRAGMENT6(AT6(80)), NEXT(17), DATA(8) }, DROP, "#1", NO_PORT },
	{ "a later fragment with options", PORTLESS,
	  { IP4(.fragment = AT4(80), .size = 8), NEXT(17), DATA(8) }, DROP, "#1", NO_PORT },
	{ "a packet that is malformed", PORTLESS_ALLOW, { IP4(), TCP(80), CUT(1) }, MALFORMED },
	{ "ARP", PORTLESS, { NEXT(0x0806), DATA(28) }, NOT_IP },
	{ "DHCP", PORTLESS, { IP4(), UDP(68, .from = 67) }, DROP, "#1", U(68) },
	BOTH("another source", PORTLESS_FAR, TCP(22), PASS, "default", T(22)),
	{ "another source's echo request", PORTLESS_FAR,
	  { IP4(), ICMP4(8) }, PASS, "echo", NO_PORT },
	{ "another source's fragment", PORTLESS_FAR,
	  { IP4(.fragment = AT4(80)), NEXT(17), DATA(8) }, FRAGMENT },
	BOTH("allowed", PORTLESS_ALLOW, TCP(22), PASS, "#1", T(22)),
	{ "an allowed fragment", PORTLESS_ALLOW,
	  { IP4(.fragment = AT4(80)), NEXT(17), DATA(8) }, PASS, "#1", NO_PORT },
	{ "an allowed echo request", PORTLESS_ALLOW,
	  { IP6(), ICMP6(128) }, PASS, "#1", NO_PORT },
	BOTH("the longest prefix wins", "drop from 192.0.0.0/16, 2001::/16\nallow " NEAR,
	     TCP(22), PASS, "#2", T(22)),
	BOTH("no match: the rule with port and source decides",
	     SHUT "drop " FAR "allow 22 " NEAR,
	     TCP(22), PASS, "#2", T(22)),
};

static const struct packet_case cases_ends[] = {
	BOTH("a rule that has not expired", SHUT "allow 22 for 1h", TCP(22), PASS, "#1", T(22)),
	BOTH("an expired rule", SHUT "allow 22 for 1s", TCP(22), DROP, "default", T(22)),
	BOTH("an expired rule, then a wider range", SHUT "allow 22 for 1s\nallow 20-30",
	     TCP(22), PASS, "#2", T(22)),
	BOTH("an expired rule with a source", "drop 22\nallow 22 " NEAR_ENDED,
	     TCP(22), DROP, "#1", T(22)),
	BOTH("two expired rules with sources", "drop 22\nallow 22 " NEAR_ENDED
	     "allow 22 from 192.0.0.0/16, 2001::/16 for 1s", TCP(22), DROP, "#1", T(22)),
	BOTH("an expired rule without ports", "drop " NEAR_ENDED,
	     TCP(22), PASS, "default", T(22)),
	BOTH("two expired rules without ports", "drop " NEAR_ENDED
	     "drop from 192.0.0.0/16, 2001::/16 for 1s", TCP(22), PASS, "default", T(22)),
	BOTH("two expired rules without ports, then one with a port", SHUT "drop " NEAR_ENDED
	     "drop from 192.0.0.0/16, 2001::/16 for 1s\nallow 22 " NEAR,
	     TCP(22), PASS, "#3", T(22)),
	BOTH("expired rules without and with a port, then a wider range",
	     SHUT "drop " NEAR_ENDED "allow 22 " NEAR_ENDED
	     "allow 20-30", TCP(22), PASS, "#3", T(22)),
};

#define LIFELINES_OFF SHUT "option icmp-errors off\noption neighbours off\n" \
	"option echo off\noption dhcp off\n"
#define LIFELINES_RULED LIFELINES_OFF "allow icmp\nallow ipv6-icmp\n"
#define LIFELINES_ON SHUT "drop icmp\ndrop ipv6-icmp\ndrop 68\ndrop 546\n"
#define ICMP_ERROR PASS, "icmp-errors", NO_PORT
#define NEIGHBOUR PASS, "neighbours", NO_PORT
#define ECHO PASS, "echo", NO_PORT
#define BY_DEFAULT DROP, "default", NO_PORT

static const struct packet_case cases_lifelines[] = {
	{ "unreachable", LIFELINES_ON, { IP4(), ICMP4(3), DATA(28) }, ICMP_ERROR },
	{ "time exceeded", LIFELINES_ON, { IP4(), ICMP4(11), DATA(28) }, ICMP_ERROR },
	{ "parameter problem", LIFELINES_ON, { IP4(.size = 4), ICMP4(12) }, ICMP_ERROR },
	{ "source quench", LIFELINES_ON, { IP4(), ICMP4(4) }, DROP, "#1", NO_PORT },
	{ "redirect", LIFELINES_ON, { IP4(), ICMP4(5) }, DROP, "#1", NO_PORT },
	{ "echo request", LIFELINES_ON, { IP4(), ICMP4(8), DATA(56) }, ECHO },
	{ "echo reply", SHUT, { IP4(), ICMP4(0) }, BY_DEFAULT },
	{ "timestamp", SHUT, { IP4(), ICMP4(13) }, BY_DEFAULT },
	{ "unreachable, ICMPv6", LIFELINES_ON, { IP6(), ICMP6(1), DATA(48) }, ICMP_ERROR },
	{ "too big", LIFELINES_ON, { IP6(), HOPS(8), ICMP6(2) }, ICMP_ERROR },
	{ "time exceeded, ICMPv6", LIFELINES_ON, { IP6(), ICMP6(3) }, ICMP_ERROR },
	{ "parameter problem, ICMPv6", LIFELINES_ON, { IP6(), ICMP6(4) }, ICMP_ERROR },
	{ "error 0, ICMPv6", SHUT, { IP6(), ICMP6(0) }, BY_DEFAULT },
	{ "error 5, ICMPv6", SHUT, { IP6(), ICMP6(5) }, BY_DEFAULT },
	{ "echo request, ICMPv6", LIFELINES_ON, { IP6(), ICMP6(128) }, ECHO },
	{ "echo reply, ICMPv6", SHUT, { IP6(), ICMP6(129) }, BY_DEFAULT },
	{ "listener query", LIFELINES_ON, { IP6(), HOPS(8), ICMP6(130) }, NEIGHBOUR },
	{ "listener done", LIFELINES_ON, { IP6(), ICMP6(132) }, NEIGHBOUR },
	{ "router solicitation", LIFELINES_ON, { IP6(), ICMP6(133) }, NEIGHBOUR },
	{ "router advertisement", LIFELINES_ON, { IP6(), ICMP6(134) }, NEIGHBOUR },
	{ "neighbour solicitation", LIFELINES_ON, { IP6(), ICMP6(135), DATA(16) }, NEIGHBOUR },
	{ "neighbour advertisement", LIFELINES_ON, { IP6(), ICMP6(136) }, NEIGHBOUR },
	{ "listener report 2", LIFELINES_ON, { IP6(), ICMP6(143) }, NEIGHBOUR },
	{ "renumbering", SHUT, { IP6(), ICMP6(138) }, BY_DEFAULT },
	{ "ICMPv6 over IPv4", SHUT, { IP4(), ICMP6(135) }, BY_DEFAULT },
	{ "ICMP over IPv6", SHUT, { IP6(), ICMP4(8) }, BY_DEFAULT },
	{ "half an ICMP header", "allow icmp", { IP4(), ICMP4(8), SHORT(1) }, MALFORMED },
	{ "half an ICMPv6 header", "allow ipv6-icmp",
	  { IP6(), ICMP6(128), SHORT(4), PAD(40) }, MALFORMED },
	{ "a later fragment of ICMP", SHUT,
	  { IP4(.fragment = AT4(8)), NEXT(1), DATA(8) }, FRAGMENT },

	{ "errors off", LIFELINES_OFF, { IP4(), ICMP4(3) }, BY_DEFAULT },
	{ "errors off, ICMPv6", LIFELINES_OFF, { IP6(), ICMP6(2) }, BY_DEFAULT },
	{ "echo off", LIFELINES_OFF, { IP4(), ICMP4(8) }, BY_DEFAULT },
	{ "echo off, ICMPv6", LIFELINES_OFF, { IP6(), ICMP6(128) }, BY_DEFAULT },
	{ "neighbours off", LIFELINES_OFF, { IP6(), ICMP6(135) }, BY_DEFAULT },
	{ "errors off, allowed by a rule", LIFELINES_RULED,
	  { IP4(), ICMP4(3) }, PASS, "#1", NO_PORT },
	{ "echo off, allowed by a rule", LIFELINES_RULED,
	  { IP6(), ICMP6(128) }, PASS, "#2", NO_PORT },
	{ "neighbours off, allowed by a rule", LIFELINES_RULED,
	  { IP6(), ICMP6(135) }, PASS, "#2", NO_PORT },
	{ "only errors off", SHUT "option icmp-errors off", { IP4(), ICMP4(8) }, ECHO },
	{ "only echo off", SHUT "option echo off", { IP4(), ICMP4(3) }, ICMP_ERROR },
	{ "errors under default allow", "default allow", { IP4(), ICMP4(3) }, ICMP_ERROR },
	{ "echo under default allow", "default allow", { IP6(), ICMP6(128) }, ECHO },

	{ "DHCP from a server", LIFELINES_ON,
	  { IP4(), UDP(68, .from = 67) }, PASS, "dhcp", U(68) },
	{ "DHCPv6 from a server", LIFELINES_ON,
	  { IP6(), UDP(546, .from = 547) }, PASS, "dhcp", U(546) },
	{ "DHCP with options", LIFELINES_ON,
	  { IP4(.size = 8), UDP(68, .from = 67), DATA(300) }, PASS, "dhcp", U(68) },
	BOTH("DHCP's client port, not from a server's port", SHUT,
	     UDP(68), DROP, "default", U(68)),
	BOTH("DHCPv6's client port, not from a server's port", SHUT,
	     UDP(546), DROP, "default", U(546)),
	{ "DHCP from a client", LIFELINES_ON,
	  { IP4(), UDP(68, .from = 68) }, DROP, "#3", U(68) },
	{ "DHCPv6's client port over IPv4", SHUT,
	  { IP4(), UDP(546, .from = 67) }, DROP, "default", U(546) },
	{ "DHCP's client port over IPv6", SHUT,
	  { IP6(), UDP(68, .from = 547) }, DROP, "default", U(68) },
	{ "DHCP's client port from DHCPv6's server port", SHUT,
	  { IP4(), UDP(68, .from = 547) }, DROP, "default", U(68) },
	{ "DHCPv6's client port from DHCP's server port", SHUT,
	  { IP6(), UDP(546, .from = 67) }, DROP, "default", U(546) },
	{ "to a DHCP server", SHUT, { IP4(), UDP(67, .from = 68) }, DROP, "default", U(67) },
	{ "DHCP over TCP", SHUT, { IP4(), TCP(68, .from = 67) }, DROP, "default", T(68) },
	{ "DHCP off", LIFELINES_OFF, { IP4(), UDP(68, .from = 67) }, DROP, "default", U(68) },
	{ "DHCPv6 off", LIFELINES_OFF,
	  { IP6(), UDP(546, .from = 547) }, DROP, "default", U(546) },
};
/* clang-format on */

#endif
