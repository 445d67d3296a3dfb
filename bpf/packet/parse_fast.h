/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast parser: the packets that nearly all are. Ethernet without VLAN tag, IPv4 without
 * options or IPv6 without extension headers, no fragment, TCP or UDP, correct lengths, in one
 * buffer. It refuses every other packet, and must agree with parse.h about those it accepts;
 * tests/fuzz/native.c compares the two.
 *
 * It is fast by few branches (tests/bench/NOTES.md): a header is compared as 32-bit words that
 * hold several fields, and one bound covers all headers up to that of TCP over IPv4.
 */
#ifndef PACKET_PARSE_FAST_H
#define PACKET_PARSE_FAST_H

#include "base/kernel.h"
#include "packet/cursor.h"
#include "packet/packet.h"
#include "packet/protocols.h"
#include "portctl/key.h"

/*
 * Ethernet, IPv4 and TCP. A UDP datagram over IPv4 in a shorter frame is refused, which is
 * rare: Ethernet pads frames to 60 bytes, only virtual links do not.
 */
#define FAST_SIZE (sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct tcphdr))

/* Bytes that a frame may have behind its packet: Ethernet's padding. */
#define FAST_PADDING_MAX 60

/*
 * Longer frames are refused, since they can be in several buffers; to ask costs a call. Shorter
 * ones are taken to be in one buffer. A driver that splits a frame behind its headers can hide
 * the bytes of a trailer from the count that way.
 */
#define FAST_FRAME_MAX 1522

/* volatile: clang would load only the bytes it needs, one by one. */
static __always_inline __be32 load_word(const void *pos)
{
	return *(const volatile __be32 *)pos;
}

/* The same in host order. Linux 6.1 knows no bounds of it; callers shift or mask. */
static __always_inline __u64 load_number(const void *pos)
{
	__u64 value = bpf_ntohl(load_word(pos));

	barrier_var(value);
	return value;
}

/*
 * Moves past the next `size` bytes; false if there are fewer. Headers are then read backwards
 * from the position that was compared with the end: one instruction less than to keep the
 * position before.
 */
static __always_inline bool fast_skip(struct cursor *cur, __u32 size)
{
	cur->pos += size;
	barrier_var(cur->pos);
	return cur->pos <= cur->end;
}

/* Whether a frame holds a packet of `length` bytes and little else. */
static __always_inline bool fast_fits(__u64 frame, int length)
{
	__u32 padding = (__u32)frame - (__u32)sizeof(struct ethhdr) - length;

	return frame <= FAST_FRAME_MAX && padding <= FAST_PADDING_MAX; /* huge if negative */
}

/* `length`: of the segment with its header, as the IP header says. */
static __always_inline bool fast_tcp(const struct tcphdr *tcp, int length,
				     struct packet *packet)
{
	/*
	 * The data offset and 4 reserved bits, which only make it greater: refused too often.
	 */
	__u32 offset = ((const __u8 *)tcp)[12];

	if (offset < sizeof(*tcp) << 2)
		return false;
	if ((int)(offset >> 2) > length)
		return false;
	packet->may_reply = tcp_continues(tcp);
	packet->key = PORT_KEY_TCP + (load_number(&tcp->source) & 0xFFFF); /* both ports */
	return true;
}

static __always_inline bool fast_udp(const struct udphdr *udp, int length,
				     struct packet *packet)
{
	int claimed = load_number(&udp->len) >> 16; /* length and checksum */

	if (claimed < (int)sizeof(*udp))
		return false;
	if (claimed > length)
		return false;
	packet->may_reply = 1;
	packet->key = PORT_KEY_UDP | (load_number(&udp->source) & 0xFFFF);
	return true;
}

static __always_inline bool fast_ipv4(const struct iphdr *ip, struct packet *packet)
{
	int length = load_number(&ip->tot_len) >> 16; /* length and identification */
	__be32 protocol;

	if (!fast_fits(packet->bytes, length))
		return false;
	length -= (int)sizeof(*ip);
	packet->offsets =
		offsets_make(sizeof(struct ethhdr), sizeof(struct ethhdr) + sizeof(*ip));
	/* Fragment field, TTL, protocol: equal to the protocol only if it is no fragment. */
	protocol = load_word(&ip->frag_off) & bpf_htonl((IPV4_OFFSET | IPV4_MORE) << 16 | 0xFF);
	if (protocol == bpf_htonl(IPPROTO_TCP))
		return fast_tcp((const void *)(ip + 1), length, packet);
	if (protocol == bpf_htonl(IPPROTO_UDP))
		return fast_udp((const void *)(ip + 1), length, packet);
	return false;
}

/* The cursor is behind the first FAST_SIZE bytes of the frame. */
static __always_inline bool fast_ipv6(struct cursor *cur, struct packet *packet)
{
	const struct ipv6hdr *ip;
	__be32 protocol;
	int length;

	if (!fast_skip(cur,
		       sizeof(struct ethhdr) + sizeof(*ip) + sizeof(struct udphdr) - FAST_SIZE))
		return false;
	ip = cur->pos - sizeof(struct udphdr) - sizeof(*ip);
	/* EtherType, version. */
	if ((load_word((const void *)ip - 2) & bpf_htonl(0xFFFFF000)) !=
	    bpf_htonl((__u32)ETH_P_IPV6 << 16 | 0x6000))
		return false;
	length = load_number(&ip->payload_len) >> 16; /* length, next header, hop limit */
	if (!fast_fits(packet->bytes, (int)sizeof(*ip) + length))
		return false;
	packet->offsets =
		offsets_make(sizeof(struct ethhdr), sizeof(struct ethhdr) + sizeof(*ip));
	protocol = load_word(&ip->payload_len) & bpf_htonl(0xFF00);
	if (protocol == bpf_htonl(IPPROTO_UDP << 8))
		return fast_udp((const void *)(ip + 1), length, packet);
	if (protocol == bpf_htonl(IPPROTO_TCP << 8))
		return fast_skip(cur, sizeof(struct tcphdr) - sizeof(struct udphdr)) &&
		       fast_tcp(cur->pos - sizeof(struct tcphdr), length, packet);
	return false;
}

/*
 * Sets key, bytes, offsets and may_reply of a packet; returns false if the packet has to be
 * parsed by parse(). Fields may have been written even so.
 */
static __always_inline bool parse_fast(struct xdp_md *ctx, struct packet *packet)
{
	struct cursor cur = cursor_at_start(ctx);
	const struct ethhdr *eth;
	__u64 rest;

	if (!fast_skip(&cur, FAST_SIZE))
		return false;
	rest = cur.end - cur.pos;
	barrier_var(rest); /* or clang subtracts 32-bit halves, which the verifier refuses */
	packet->bytes = FAST_SIZE + rest;
	eth = cur.pos - FAST_SIZE;
	/* EtherType, version and header length, and the type of service, which may be any. */
	if ((load_word(&eth->h_proto) & bpf_htonl(0xFFFFFF00)) ==
	    bpf_htonl(ETH_P_IP << 16 | 0x4500))
		return fast_ipv4((const void *)(eth + 1), packet);
	return fast_ipv6(&cur, packet);
}

#endif
