/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of network protocols that vmlinux.h lacks (the kernel defines macros); TCP's fields.
 */
#ifndef PACKET_PROTOCOLS_H
#define PACKET_PROTOCOLS_H

#include "base/kernel.h"
#include "portctl/protocol.h"

#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88A8
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD

/* IPv6 only. */
#define IPPROTO_HOPOPTS 0
#define IPPROTO_FRAGMENT 44
#define IPPROTO_ICMPV6 58

/* Bits of the fragment fields, in host byte order. */
#define IPV4_OFFSET 0x1FFF /* in units of 8 bytes */
#define IPV4_MORE 0x2000
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV6_OFFSET 0xFFF8 /* in bytes */
#define IPV6_MORE 0x0001

/* Types of ICMP messages (RFC 792). */
#define ICMP_ECHOREPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_REDIRECT 5
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12

/* Codes of ICMP_DEST_UNREACH. */
#define ICMP_PROT_UNREACH 2
#define ICMP_PORT_UNREACH 3

/* Types of ICMPv6 messages (RFC 4443, 2710, 4861, 3810). */
#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_PARAMPROB 4
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_ECHO_REPLY 129
#define ICMPV6_MLD_QUERY 130
#define ICMPV6_REDIRECT 137 /* the last type of neighbour discovery */
#define ICMPV6_MLD2_REPORT 143

/* Codes of ICMPV6_DEST_UNREACH. */
#define ICMPV6_ADM_PROHIBITED 1
#define ICMPV6_PORT_UNREACH 4

/* Both read a byte: clang loads two bytes for a bit field and then swaps them. */

/* Bytes of the header, options included: the data offset times 4. */
static __always_inline __u32 tcp_header_size(const struct tcphdr *tcp)
{
	return (((const __u8 *)tcp)[12] >> 2) & 0x3C;
}

/* ACK, RST and FIN: a segment with none of them opens a connection. */
#define TCP_CONTINUES 0x15

static __always_inline __u32 tcp_continues(const struct tcphdr *tcp)
{
	return ((const __u8 *)tcp)[13] & TCP_CONTINUES;
}

#endif
