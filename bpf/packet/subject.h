/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rules ask about a packet beyond its key: addresses, ports and TCP flags.
 * Read only for those packets whose entry leads to a detail.
 */
#ifndef PACKET_SUBJECT_H
#define PACKET_SUBJECT_H

#include "packet/packet.h"
#include "packet/parse.h"
#include "portctl/flow.h"
#include "portctl/key.h"

#define ICMP_ECHOREPLY 0
#define ICMPV6_ECHO_REPLY 129

/* The local port of what is no reply: no flow of ICMP has one. */
#define NO_REPLY 0xFFFF

static __always_inline bool is_icmp(const struct flow_key *flow)
{
	return flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6;
}

/* ICMP and ICMPv6 have the type and the echo's identifier at the same place. */
static __always_inline bool is_echo_reply(const struct flow_key *flow,
					  const struct icmphdr *icmp)
{
	if (flow->protocol == IPPROTO_ICMP)
		return icmp->type == ICMP_ECHOREPLY;
	return flow->protocol == IPPROTO_ICMPV6 && icmp->type == ICMPV6_ECHO_REPLY;
}

struct subject {
	struct flow_key flow; /* remote is the source: the other side */
	bool tcp_answers; /* a segment that only a conversation can have */
	bool touches; /* a SYN, or a datagram */
};

/* The port key that a packet was sent to. */
static __always_inline __u32 flow_port_key(const struct flow_key *flow)
{
	return (flow->protocol == IPPROTO_TCP ? PORT_KEY_TCP : PORT_KEY_UDP) +
	       bpf_ntohs(flow->local_port);
}

/* Offsets are small; the mask is the verifier's proof of it. */
#define OFFSET_MASK 0x7FFF

static __always_inline bool read_addresses(struct xdp_md *ctx, __u32 place,
					   struct flow_key *flow)
{
	struct cursor cur = cursor_again(ctx);
	struct ipv6hdr *ip6;
	struct iphdr *ip;

	cur.pos += place_network(place) & OFFSET_MASK;
	ip = cur.pos;
	ip6 = cur.pos;
	if ((void *)(ip + 1) > cur.end)
		return false;
	if (ip->version == 4) {
		flow->family = 4;
		flow->protocol = ip->protocol;
		__builtin_memcpy(flow->remote, &ip->saddr, sizeof(ip->saddr));
		__builtin_memcpy(flow->local, &ip->daddr, sizeof(ip->daddr));
		return true;
	}
	if ((void *)(ip6 + 1) > cur.end)
		return false;
	flow->family = 6;
	flow->protocol = ip6->nexthdr;
	__builtin_memcpy(flow->remote, &ip6->saddr, sizeof(ip6->saddr));
	__builtin_memcpy(flow->local, &ip6->daddr, sizeof(ip6->daddr));
	return true;
}

/*
 * Ports, or the identifier of an echo reply; a packet without has zeros. Other ICMP is
 * nobody's reply: with zeros it would be that to an echo whose identifier was 0.
 */
static __always_inline void read_ports(struct xdp_md *ctx, __u32 place, __u32 key,
				       struct subject *subject)
{
	struct cursor cur = cursor_again(ctx);
	struct tcphdr *tcp;
	struct icmphdr *icmp;

	/* What the key says is behind all extension headers. */
	if (key >= KEY_PROTOCOL && key < KEY_NOT_IP)
		subject->flow.protocol = key - KEY_PROTOCOL;
	cur.pos += place_transport(place) & OFFSET_MASK;
	tcp = cur.pos;
	icmp = cur.pos;
	if ((void *)(icmp + 1) > cur.end)
		return;
	if (key < PORT_KEYS) {
		subject->flow.protocol = key < PORT_KEY_UDP ? IPPROTO_TCP : IPPROTO_UDP;
		subject->flow.remote_port = tcp->source;
		subject->flow.local_port = tcp->dest;
	} else if (is_echo_reply(&subject->flow, icmp)) {
		subject->flow.remote_port = icmp->un.echo.id;
	} else if (is_icmp(&subject->flow)) {
		subject->flow.local_port = NO_REPLY;
	}
	subject->touches = key >= PORT_KEY_UDP && key < PORT_KEYS;
	if (key < PORT_KEY_UDP && (void *)(tcp + 1) <= cur.end) {
		subject->tcp_answers = tcp_answers(tcp);
		subject->touches = tcp->syn && !subject->tcp_answers;
	}
}

static __always_inline bool read_subject(struct xdp_md *ctx, __u32 place, __u32 key,
					 struct subject *subject)
{
	if (!place_network(place) || !read_addresses(ctx, place, &subject->flow))
		return false;
	if (place_transport(place))
		read_ports(ctx, place, key, subject);
	return true;
}

#endif
