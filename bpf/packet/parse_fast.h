/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast parser, for the packets that nearly all are: Ethernet without a VLAN tag, IPv4 without
 * options or IPv6 without extension headers, no fragment, TCP or UDP, in one buffer. It leaves all
 * other packets to parse(), and agrees with it about those it takes (tests/fuzz/native.c compares
 * them). It is fast because it makes no call, and needs few branches.
 */
#ifndef PACKET_PARSE_FAST_H
#define PACKET_PARSE_FAST_H

#include "base/kernel.h"
#include "packet/cursor.h"
#include "packet/packet.h"
#include "packet/parse.h"
#include "packet/protocols.h"
#include "portctl/key.h"

/*
 * Ethernet, IPv4 and TCP: one comparison for the three. A shorter UDP datagram over IPv4 is left to
 * parse(). Only virtual links carry it, since Ethernet pads frames to 60 bytes.
 */
#define FAST_SIZE_MIN (sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct tcphdr))

/*
 * A longer frame can be in several buffers; to ask would cost each packet a call. A shorter one is
 * taken to be in one buffer if its packet is. If a driver splits frames behind the headers, the
 * bytes of a trailer behind a packet without data are then not counted.
 */
#define FAST_SIZE_MAX 1522

/* Bytes of a frame behind its packet: Ethernet's padding. More can be further buffers. */
#define FAST_PADDING_MAX 60

/* Leave the packet to parse(): any key that is not a port key. */
#define NOT_FAST KEY_MALFORMED

/* Whether the packet, of `length` bytes from its IP header on, fills the frame but for padding. */
static __always_inline bool fast_fits(const struct packet *packet, int length)
{
	/* A packet longer than the frame makes this a huge number. */
	__u32 padding = (__u32)packet->bytes - (__u32)sizeof(struct ethhdr) - length;

	return packet->bytes <= FAST_SIZE_MAX && padding <= FAST_PADDING_MAX;
}

/*
 * The cursor is at the transport header. `length` is its bytes with everything behind; negative if
 * the IP header claims less than its own size.
 */
static __always_inline __u32 fast_transport(struct cursor *cur, struct packet *packet,
					    __u8 protocol, int length)
{
	if (protocol == IPPROTO_TCP)
		return parse_tcp(cur, packet, length, false);
	if (protocol == IPPROTO_UDP)
		return parse_udp(cur, length, false);
	return NOT_FAST;
}

/* Version 4, and a header of 5 words: without options. */
#define IPV4_WITHOUT_OPTIONS 0x45

static __always_inline __u32 fast_ipv4(struct cursor *cur, struct packet *packet)
{
	const struct iphdr *ip = cur->pos;
	int length;

	if (*(const __u8 *)ip != IPV4_WITHOUT_OPTIONS)
		return NOT_FAST;
	length = bpf_ntohs(ip->tot_len);
	if (!fast_fits(packet, length))
		return NOT_FAST;
	if (ip->frag_off & bpf_htons(IPV4_OFFSET | IPV4_MORE))
		return NOT_FAST;
	cur->pos += sizeof(*ip);
	set_transport(packet, sizeof(*ip));
	return fast_transport(cur, packet, ip->protocol, length - (int)sizeof(*ip));
}

static __always_inline __u32 fast_ipv6(struct cursor *cur, struct packet *packet)
{
	const struct ipv6hdr *ip = cur->pos;
	int length;

	if (ip->version != 6)
		return NOT_FAST;
	length = bpf_ntohs(ip->payload_len);
	if (!fast_fits(packet, (int)sizeof(*ip) + length))
		return NOT_FAST;
	cur->pos += sizeof(*ip);
	set_transport(packet, sizeof(*ip));
	return fast_transport(cur, packet, ip->nexthdr, length);
}

/*
 * Parses a packet like parse(); returns false if parse() has to do it. Fields of the packet may
 * have been written even so.
 */
static __always_inline bool parse_fast(struct xdp_md *ctx, struct packet *packet)
{
	struct cursor cur = cursor_at_start(ctx);
	const struct ethhdr *eth = cur.pos;
	__u64 bytes = cur.end - cur.pos;

	barrier_var(bytes); /* or clang subtracts 32-bit halves, which the verifier refuses */
	packet->bytes = bytes;
	packet->may_reply = 1;
	packet->offsets = offsets_make(sizeof(*eth), 0);
	if (cur.pos + FAST_SIZE_MIN > cur.end)
		return false;
	cur.pos += sizeof(*eth);
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		packet->key = fast_ipv4(&cur, packet);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		packet->key = fast_ipv6(&cur, packet);
	else
		return false;
	return packet->key < PORT_KEYS;
}

#endif
