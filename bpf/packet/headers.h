/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one reader of headers after parsing: addresses, ports and TCP flags, for those packets
 * whose verdict needs more than the key. parse.h has checked the lengths.
 */
#ifndef PACKET_HEADERS_H
#define PACKET_HEADERS_H

#include "base/kernel.h"
#include "packet/cursor.h"
#include "packet/packet.h"
#include "packet/protocols.h"
#include "portctl/flow.h"
#include "portctl/key.h"

/* An IPv4 or IPv6 header. Pointers are into the packet. */
struct network {
	const void *source; /* 4 bytes of IPv4, 16 of IPv6 */
	const void *destination;
	const void *payload; /* behind this header. IPv6: extension headers may be there */
	__u32 length; /* bytes from `payload` to the end of the packet */
	__u8 family; /* 4 or 6 */
	__u8 protocol; /* of the header behind this one */
	bool later_fragment; /* IPv4: a fragment that is not the first */
	bool more_fragments; /* IPv4: a fragment that is not the last */
};

/* Reads the IP header at a cursor; false if it is cut off. */
static __always_inline bool read_network(const struct cursor *cur, struct network *network)
{
	const struct ipv6hdr *ip6 = cur->pos;
	const struct iphdr *ip = cur->pos;

	if ((void *)(ip + 1) > cur->end)
		return false;
	if (ip->version == 4) {
		*network = (struct network){
			.source = &ip->saddr,
			.destination = &ip->daddr,
			.payload = (const void *)ip + ip->ihl * 4,
			.length = bpf_ntohs(ip->tot_len) - ip->ihl * 4,
			.family = 4,
			.protocol = ip->protocol,
			.later_fragment = ip->frag_off & bpf_htons(IPV4_OFFSET),
			.more_fragments = ip->frag_off & bpf_htons(IPV4_MORE),
		};
		return true;
	}
	if ((void *)(ip6 + 1) > cur->end)
		return false;
	*network = (struct network){
		.source = &ip6->saddr,
		.destination = &ip6->daddr,
		.payload = ip6 + 1,
		.length = bpf_ntohs(ip6->payload_len),
		.family = 6,
		.protocol = ip6->nexthdr,
	};
	return true;
}

static __always_inline void copy_address(__u8 *address, const void *from, __u8 family)
{
	if (family == 4)
		__builtin_memcpy(address, from, 4);
	else
		__builtin_memcpy(address, from, 16);
}

/*
 * Sets all but the ports of a flow that is zero. The remote end of a received packet is its
 * source.
 */
static __always_inline void flow_of_received(const struct network *network,
					     struct flow_key *flow)
{
	flow->family = network->family;
	flow->protocol = network->protocol;
	copy_address(flow->remote, network->source, network->family);
	copy_address(flow->local, network->destination, network->family);
}

/* The same of a packet that is sent: its remote end is the destination. */
static __always_inline void flow_of_sent(const struct network *network, struct flow_key *flow)
{
	flow->family = network->family;
	flow->protocol = network->protocol;
	copy_address(flow->remote, network->destination, network->family);
	copy_address(flow->local, network->source, network->family);
}

/*
 * The first bytes of a transport header. TCP, UDP and ICMP have these fields at equal offsets.
 */
struct transport {
	__be16 source; /* TCP, UDP: ports */
	__be16 destination;
	__be16 echo_id; /* ICMP echo, request or reply: the identifier */
	__u8 icmp_type;
	const struct tcphdr *tcp; /* NULL: the header of TCP is not complete */
};

/* Reads the transport header at a cursor; false if its first 8 bytes are cut off. */
static __always_inline bool read_transport(const struct cursor *cur,
					   struct transport *transport)
{
	const struct icmphdr *icmp = cur->pos;
	const struct tcphdr *tcp = cur->pos;

	if ((void *)(icmp + 1) > cur->end)
		return false;
	*transport = (struct transport){
		.source = tcp->source,
		.destination = tcp->dest,
		.echo_id = icmp->un.echo.id,
		.icmp_type = icmp->type,
		.tcp = (void *)(tcp + 1) <= cur->end ? tcp : NULL,
	};
	return true;
}

static __always_inline bool is_icmp(__u8 protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static __always_inline bool is_echo_reply(__u8 protocol, __u8 type)
{
	return (protocol == IPPROTO_ICMP && type == ICMP_ECHOREPLY) ||
	       (protocol == IPPROTO_ICMPV6 && type == ICMPV6_ECHO_REPLY);
}

/* What rules ask about a received packet. */
struct headers {
	struct flow_key flow; /* `remote` is the source */
	bool tcp_continues; /* a TCP segment that does not open a connection */
	bool touches; /* a SYN or a datagram: at a shut port it can be a knock */
};

/* The local port of ICMP that answers nothing: no flow of ICMP has a local port. */
#define NO_REPLY 0xFFFF

/*
 * Sets the ports and flags. A packet without ports has zeros, an echo reply its identifier.
 * Other ICMP gets NO_REPLY: with zeros it would match an echo request with the identifier 0.
 */
static __always_inline void read_ports(const struct cursor *cur, __u32 key,
				       struct headers *headers)
{
	struct flow_key *flow = &headers->flow;
	struct transport transport;

	/* The protocol behind all extension headers is in the key. */
	if (key >= KEY_PROTOCOL && key < KEY_NOT_IP)
		flow->protocol = key - KEY_PROTOCOL;
	if (!read_transport(cur, &transport))
		return;
	if (key < PORT_KEYS) {
		flow->protocol = key < PORT_KEY_UDP ? IPPROTO_TCP : IPPROTO_UDP;
		flow->remote_port = transport.source;
		flow->local_port = transport.destination;
	} else if (is_echo_reply(flow->protocol, transport.icmp_type)) {
		flow->remote_port = transport.echo_id;
	} else if (is_icmp(flow->protocol)) {
		flow->local_port = NO_REPLY;
	}
	headers->touches = key >= PORT_KEY_UDP && key < PORT_KEYS;
	if (key < PORT_KEY_UDP && transport.tcp) {
		headers->tcp_continues = tcp_continues(transport.tcp);
		headers->touches = transport.tcp->syn && !headers->tcp_continues;
	}
}

/* Reads the addresses of a received packet into a flow that is zero; false if it has none. */
static __always_inline bool read_addresses(struct xdp_md *ctx, offsets_t offsets,
					   struct flow_key *flow)
{
	struct cursor cur = cursor_at(ctx, offsets_network(offsets));
	struct network network;

	if (!read_network(&cur, &network))
		return false;
	flow_of_received(&network, flow);
	return true;
}

/*
 * Reads the headers of a received packet into a struct that is zero; false if it is no IP
 * packet.
 */
static __always_inline bool read_headers(struct xdp_md *ctx, offsets_t offsets, __u32 key,
					 struct headers *headers)
{
	struct cursor cur;

	if (!offsets_network(offsets) || !read_addresses(ctx, offsets, &headers->flow))
		return false;
	if (!offsets_transport(offsets))
		return true;
	cur = cursor_at(ctx, offsets_transport(offsets));
	read_ports(&cur, key, headers);
	return true;
}

/* The port key that a received packet was sent to. */
static __always_inline __u32 flow_port_key(const struct flow_key *flow)
{
	return (flow->protocol == IPPROTO_TCP ? PORT_KEY_TCP : PORT_KEY_UDP) +
	       bpf_ntohs(flow->local_port);
}

#endif
