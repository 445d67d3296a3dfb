/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Egress: the program on outgoing packets (TC). It remembers conversations in the flow table,
 * so that their replies pass. It never changes or drops a packet. It does not remember what
 * needs no flow: packets of a local TCP socket, which the kernel knows; resets; and
 * conversations whose replies a rule lets in.
 */
#ifndef PATH_EGRESS_H
#define PATH_EGRESS_H

#include "base/maps.h"
#include "flow/flow.h"
#include "packet/headers.h"
#include "packet/parse.h"
#include "verdict/judge.h"

#define TC_ACT_UNSPEC (-1) /* the packet goes on to the next filter */
#define SOCK_STREAM 1

/*
 * Skips Ethernet and the VLAN tags that are in the frame itself; returns the EtherType, 0 if
 * the frame ends before it. A device for the outer of two tags leaves the inner one in the
 * frame.
 */
static __always_inline __be16 skip_link(struct cursor *cur)
{
	struct ethhdr *eth = cur->pos;
	__be16 protocol;

	if (!cursor_skip(cur, sizeof(*eth)))
		return 0;
	protocol = eth->h_proto;
	for (int i = 0; i < VLAN_TAGS_MAX && is_vlan(protocol); i++) {
		struct vlan_hdr *tag = cur->pos;

		if (!cursor_skip(cur, sizeof(*tag)))
			return 0;
		protocol = tag->h_vlan_encapsulated_proto;
	}
	return protocol;
}

/*
 * Reads the IP header, and a fragment header behind that of IPv6; moves the cursor behind them.
 * Returns false if the packet is not IP, or a fragment that is not the first.
 */
static __always_inline bool read_sent(struct cursor *cur, struct flow_key *flow)
{
	__be16 protocol = skip_link(cur);
	const struct frag_hdr *fragment;
	struct network network;

	if (protocol != bpf_htons(ETH_P_IP) && protocol != bpf_htons(ETH_P_IPV6))
		return false;
	if (!read_network(cur, &network) || network.later_fragment)
		return false;
	flow_of_sent(&network, flow);
	cur->pos = (void *)network.payload;
	if (network.family == 4 || network.protocol != IPPROTO_FRAGMENT)
		return true;
	fragment = cur->pos;
	if (!cursor_skip(cur, sizeof(*fragment)) || fragment->frag_off & bpf_htons(IPV6_OFFSET))
		return false;
	flow->protocol = fragment->nexthdr;
	return true;
}

/* What an outgoing packet does to its flow. */
enum flow_step {
	FLOW_NONE, /* it needs no flow */
	FLOW_CONTINUES, /* it prolongs the flow if there is one */
	FLOW_BEGINS, /* it also makes a flow */
};

/*
 * A local TCP socket needs no flow: flow/reply.h finds the socket. A socket that is not a full
 * one belongs to a handshake that a local listener answers, or to a connection that has ended.
 * But if a socket is bound to another device (a VLAN, a VRF, the bridge over this port), the
 * kernel does not find it by the device that a reply comes in by: then a flow is needed.
 *
 * Forwarded packets begin a flow at any point of a conversation, since the conversation can be
 * older than the attach. Of packets from this host without a socket only a SYN begins a flow.
 * The kernel sends the others for a socket that does not exist yet (SYN cookies, which any host
 * can provoke) or that no longer exists (the last acknowledgement, before Linux 6.13).
 */
static __always_inline enum flow_step tcp_step(struct __sk_buff *skb, const struct tcphdr *tcp)
{
	struct bpf_sock *socket = skb->sk;

	if (tcp->rst)
		return FLOW_NONE;
	if (skb->ingress_ifindex || purpose == PURPOSE_REPLAY)
		return FLOW_BEGINS;
	if (socket) {
		socket = bpf_sk_fullsock(socket);
		if (!socket)
			return FLOW_NONE;
		if (socket->type == SOCK_STREAM && socket->protocol == IPPROTO_TCP)
			return socket->bound_dev_if && socket->bound_dev_if != skb->ifindex
				       ? FLOW_BEGINS
				       : FLOW_NONE;
	}
	return tcp->syn && !tcp->ack ? FLOW_BEGINS : FLOW_CONTINUES;
}

/*
 * Reads the transport header at the cursor and sets the flow's ports. Returns the key that a
 * reply will have; KEYS if no reply is expected or the header is cut off.
 */
static __always_inline __u32 read_reply_key(struct __sk_buff *skb, const struct cursor *cur,
					    struct flow_key *flow, enum flow_step *step)
{
	struct transport transport;

	if (!read_transport(cur, &transport))
		return KEYS;
	if (flow->protocol == IPPROTO_UDP || flow->protocol == IPPROTO_TCP) {
		flow->local_port = transport.source;
		flow->remote_port = transport.destination;
	}
	switch (flow->protocol) {
	case IPPROTO_UDP:
		return PORT_KEY_UDP + bpf_ntohs(flow->local_port);
	case IPPROTO_TCP:
		if (!transport.tcp)
			return KEYS;
		*step = tcp_step(skb, transport.tcp);
		return *step == FLOW_NONE ? KEYS : PORT_KEY_TCP + bpf_ntohs(flow->local_port);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (transport.icmp_type != ICMP_ECHO &&
		    transport.icmp_type != ICMPV6_ECHO_REQUEST)
			return KEYS;
		flow->remote_port = transport.echo_id;
	}
	return KEY_PROTOCOL + flow->protocol;
}

/*
 * Whether replies pass only if there is a flow. A rule that names their sources lets them in
 * without, and a flow must not outlive such a rule.
 */
static __always_inline bool needs_flow(const struct headers *headers, __u32 key, __u32 slot)
{
	entry_t entry = table[slot].entries[key];

	if (entry_has_detail(entry))
		entry = follow_details(headers, entry, slot, false);
	return entry_flags(entry) & ENTRY_REPLY;
}

SEC("tc")
int egress(struct __sk_buff *skb)
{
	struct cursor cur = {
		.pos = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
	};
	struct headers headers = { 0 };
	enum flow_step step = FLOW_BEGINS;
	__u64 key;

	if (!read_sent(&cur, &headers.flow))
		return TC_ACT_UNSPEC;
	key = read_reply_key(skb, &cur, &headers.flow, &step);
	barrier_var(key); /* keeps the comparison, which proves the bound to the verifier */
	if (key < KEYS && needs_flow(&headers, key, control.generation & 1))
		remember_flow(&headers.flow, step == FLOW_BEGINS);
	return TC_ACT_UNSPEC;
}

#endif
