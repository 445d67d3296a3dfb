/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet cases for the link layer: VLAN tags, not IP, trailers, frames in several buffers. */
#ifndef CASES_LINK_H
#define CASES_LINK_H

#include "packet_case.h"

#define ARP NEXT(0x0806), DATA(28)

/* clang-format off */
static const struct packet_case cases_link[] = {
	{ "ARP", CLOSED, { ARP }, NOT_IP },
	{ "ARP in a padded frame", CLOSED, { ARP, PAD(18) }, NOT_IP },
	{ "ARP in a tagged frame", CLOSED, { VLAN, ARP }, NOT_IP },
	{ "ARP in a frame with two tags", CLOSED, { QINQ, VLAN, ARP }, NOT_IP },
	{ "LLDP", CLOSED, { NEXT(0x88CC), DATA(100) }, NOT_IP },
	{ "EAPOL", CLOSED, { NEXT(0x888E), DATA(4) }, NOT_IP },
	{ "802.3 with a length", CLOSED, { NEXT(38), DATA(38), PAD(8) }, NOT_IP },
	{ "802.3 with length 0", CLOSED, { NEXT(0), DATA(46) }, NOT_IP },
	{ "MPLS is not parsed", CLOSED, { NEXT(0x8847), DATA(64) }, NOT_IP },
	{ "PPPoE is not parsed", CLOSED, { NEXT(0x8864), DATA(64) }, NOT_IP },
	{ "the old QinQ tag 0x9100", CLOSED, { NEXT(0x9100), DATA(64) }, NOT_IP },
	{ "IPv4's EtherType byte-swapped", CLOSED, { NEXT(0x0008), DATA(64) }, NOT_IP },
	{ "ARP's EtherType and no data", CLOSED, { NEXT(0x0806) }, NOT_IP },
	{ "EtherType 65535 and no data", CLOSED, { NEXT(0xFFFF) }, NOT_IP },
	{ "802.3 with a length and no data", CLOSED, { NEXT(46) }, NOT_IP },

	{ "IPv4's EtherType and no data", OPEN, { NEXT(0x0800) }, MALFORMED },
	{ "IPv6's EtherType and no data", OPEN, { NEXT(0x86DD) }, MALFORMED },
	{ "a frame that ends before its tag", OPEN, { NEXT(0x8100) }, MALFORMED },
	{ "a frame that ends in its tag", OPEN, { VLAN, SHORT(1) }, MALFORMED },
	{ "a frame that ends in its second tag", OPEN, { QINQ, VLAN, SHORT(3) }, MALFORMED },
	{ "a frame that ends before its second tag", OPEN, { QINQ, NEXT(0x8100) }, MALFORMED },
	{ "ARP's EtherType in a tag and no data", OPEN, { VLAN, NEXT(0x0806) }, NOT_IP },
	{ "IPv4's EtherType in a tag and no data", OPEN, { VLAN, NEXT(0x0800) }, MALFORMED },
	{ "IPv6's EtherType in a tag and no data", OPEN, { VLAN, NEXT(0x86DD) }, MALFORMED },

	{ "802.1Q, IPv4", CLOSED, { VLAN, IP4(), TCP(22) }, PASS, "allow 22/tcp", T(22) },
	{ "802.1Q, IPv6", CLOSED, { VLAN, IP6(), UDP(53) }, PASS, "allow 53/udp", U(53) },
	{ "802.1ad, IPv4", CLOSED, { QINQ, IP4(), UDP(80) }, PASS, "allow 80", U(80) },
	{ "802.1ad, IPv6", CLOSED, { QINQ, IP6(), TCP(23) }, DROP, "default", T(23) },
	{ "802.1ad, 802.1Q", CLOSED, { QINQ, VLAN, IP4(), TCP(80) }, PASS, "allow 80", T(80) },
	{ "802.1Q, 802.1Q", CLOSED, { VLAN, VLAN, IP6(), TCP(80) }, PASS, "allow 80", T(80) },
	{ "802.1Q, 802.1ad", CLOSED, { VLAN, QINQ, IP4(), UDP(9) }, DROP, "default", U(9) },
	{ "802.1ad, 802.1ad", CLOSED, { QINQ, QINQ, IP6(), UDP(9) }, DROP, "default", U(9) },
	{ "three tags, IPv4", OPEN, { VLAN, VLAN, VLAN, IP4(), TCP(80) }, MALFORMED },
	{ "three tags, IPv6", OPEN, { QINQ, VLAN, QINQ, IP6(), UDP(53) }, MALFORMED },
	{ "three tags, ARP", OPEN, { QINQ, QINQ, VLAN, ARP }, MALFORMED },
	{ "a padded tagged frame", CLOSED,
	  { VLAN, IP4(), UDP(53), PAD(14) }, PASS, "allow 53/udp", U(53) },

	BOTH("a trailer of 1 byte", CLOSED, L(TCP(22), PAD(1)), PASS, "allow 22/tcp", T(22)),
	BOTH("padding to 60 bytes", CLOSED, L(UDP(53), PAD(18)), PASS, "allow 53/udp", U(53)),
	BOTH("a trailer of 60 bytes", CLOSED, L(UDP(53), PAD(60)), PASS, "allow 53/udp", U(53)),
	BOTH("a trailer of 61 bytes", CLOSED, L(UDP(53), PAD(61)), PASS, "allow 53/udp", U(53)),
	BOTH("a trailer of 1400 bytes", CLOSED,
	     L(TCP(22), PAD(1400)), PASS, "allow 22/tcp", T(22)),
	BOTH("a trailer that would make GRE a TCP port", CLOSED,
	     L(NEXT(47), PAD(40)), PASS, "allow gre", NO_PORT),

	/* Frames that do not fit into one buffer of the kernel. */
	BOTH("a jumbo datagram", CLOSED, L(UDP(53), DATA(8952)), PASS, "allow 53/udp", U(53)),
	BOTH("a jumbo datagram, dropped", OPEN,
	     L(UDP(6001), DATA(8952)), DROP, "drop 6000-6100/udp", U(6001)),
	BOTH("a jumbo segment", CLOSED, L(TCP(22), DATA(8940)), PASS, "allow 22/tcp", T(22)),
	BOTH("a jumbo frame with a trailer", CLOSED,
	     L(UDP(53), DATA(8900), PAD(100)), PASS, "allow 53/udp", U(53)),
	BOTH("a jumbo frame one byte short", OPEN, L(UDP(53), DATA(8952), CUT(1)), MALFORMED),
	BOTH("a small packet in a jumbo frame", CLOSED,
	     L(UDP(53), PAD(8900)), PASS, "allow 53/udp", U(53)),
	BOTH("a jumbo datagram with a larger UDP length", OPEN,
	     L(UDP(53, .length = SET(8961)), DATA(8952)), MALFORMED),
	{ "a jumbo frame that is not IP", CLOSED, { NEXT(0x88B5), DATA(8000) }, NOT_IP },
	{ "a jumbo frame, tagged", CLOSED,
	  { QINQ, VLAN, IP4(), UDP(53), DATA(8000) }, PASS, "allow 53/udp", U(53) },
	BOTH("GRE in a jumbo frame", CLOSED,
	     L(NEXT(47), DATA(8000)), PASS, "allow gre", NO_PORT),

	/* The headers must lie in the first buffer; the data may be in the second. */
	{ "IPv4 and UDP in the first buffer", CLOSED,
	  { IP4(), UDP(53), DATA(500), BUFFER(42) }, PASS, "allow 53/udp", U(53) },
	{ "IPv6 and TCP in the first buffer", CLOSED,
	  { IP6(), TCP(22), DATA(500), BUFFER(74) }, PASS, "allow 22/tcp", T(22) },
	{ "a UDP header over IPv4 split", OPEN,
	  { IP4(), UDP(53), DATA(500), BUFFER(41) }, MALFORMED },
	{ "a UDP header over IPv6 split", OPEN,
	  { IP6(), UDP(53), DATA(500), BUFFER(61) }, MALFORMED },
	{ "a TCP header over IPv4 split", OPEN,
	  { IP4(), TCP(80), DATA(500), BUFFER(53) }, MALFORMED },
	{ "a TCP header over IPv6 split", OPEN,
	  { IP6(), TCP(80), DATA(500), BUFFER(73) }, MALFORMED },
	{ "an IPv4 header split", OPEN, { IP4(), TCP(80), DATA(500), BUFFER(33) }, MALFORMED },
	{ "an IPv6 header split", OPEN, { IP6(), TCP(80), DATA(500), BUFFER(53) }, MALFORMED },
	{ "only Ethernet in the first buffer", OPEN,
	  { IP4(), TCP(80), BUFFER(14) }, MALFORMED },
	{ "IPv4's options split", OPEN,
	  { IP4(.size = 8), TCP(80), DATA(9), BUFFER(40) }, MALFORMED },
	{ "an extension header split", OPEN,
	  { IP6(), OPTIONS(64), TCP(80), BUFFER(100) }, MALFORMED },
	{ "TCP's options in the second buffer", CLOSED,
	  { IP4(), TCP(22, .size = 12), DATA(9), BUFFER(54) }, PASS, "allow 22/tcp", T(22) },
	{ "ARP in two buffers", CLOSED, { ARP, BUFFER(20) }, NOT_IP },
	{ "GRE in two buffers", CLOSED,
	  { IP4(), NEXT(47), DATA(90), BUFFER(34) }, PASS, "allow gre", NO_PORT },

	/* The packet ends in or at the end of the first buffer, and a trailer follows. */
	{ "IPv4 of 3520 bytes, the kernel's first buffer", CLOSED,
	  { IP4(), UDP(53), DATA(3478), PAD(1000) }, PASS, "allow 53/udp", U(53) },
	{ "IPv6 of 3520 bytes, the kernel's first buffer", CLOSED,
	  { IP6(), TCP(22), DATA(3446), PAD(1000) }, PASS, "allow 22/tcp", T(22) },
	BOTH("a trailer far into the second buffer", CLOSED,
	     L(UDP(53), PAD(300), BUFFER(200)), PASS, "allow 53/udp", U(53)),
};
/* clang-format on */

#endif
