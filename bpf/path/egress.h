/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way out (TC egress): remembers what goes out, so that its replies are let
 * in. Only what could need that is remembered: not what a local TCP socket sends
 * (the kernel knows it), no reset, and nothing to those whom a rule lets in anyway.
 * It never changes or drops a packet.
 */
#ifndef PATH_EGRESS_H
#define PATH_EGRESS_H

#include "flow/flow.h"
#include "packet/parse.h"
#include "verdict/judge.h"

#define TC_ACT_UNSPEC (-1)
#define SOCK_STREAM 1

#define ICMPV6_ECHO_REQUEST_TYPE 128
#define ICMP_ECHO_REQUEST_TYPE 8

/* Behind the tags that the frame itself has: a device for two tags leaves the inner one there. */
static __always_inline __be16 egress_link(struct cursor *cur)
{
	struct ethhdr *eth = cur->pos;
	__be16 protocol;

	if ((void *)(eth + 1) > cur->end)
		return 0;
	protocol = eth->h_proto;
	cur->pos += sizeof(*eth);
	for (int i = 0; i < VLAN_TAGS_MAX && is_vlan(protocol); i++) {
		struct vlan_hdr *tag = cur->pos;

		if ((void *)(tag + 1) > cur->end)
			return 0;
		protocol = tag->h_vlan_encapsulated_proto;
		cur->pos += sizeof(*tag);
	}
	return protocol;
}

/* From the packet's own view: its source is local here. */
static __always_inline void *egress_network(struct cursor *cur, struct flow_key *flow)
{
	__be16 protocol = egress_link(cur);
	struct iphdr *ip = cur->pos;
	struct ipv6hdr *ip6 = cur->pos;
	struct frag_hdr *fragment;

	if ((void *)(ip + 1) > cur->end)
		return NULL;
	if (protocol == bpf_htons(ETH_P_IP)) {
		if (ip->frag_off & bpf_htons(IPV4_OFFSET))
			return NULL;
		flow->family = 4;
		flow->protocol = ip->protocol;
		__builtin_memcpy(flow->local, &ip->saddr, sizeof(ip->saddr));
		__builtin_memcpy(flow->remote, &ip->daddr, sizeof(ip->daddr));
		return (void *)ip + (ip->ihl * 4);
	}
	if (protocol != bpf_htons(ETH_P_IPV6) || (void *)(ip6 + 1) > cur->end)
		return NULL;
	flow->family = 6;
	flow->protocol = ip6->nexthdr;
	__builtin_memcpy(flow->local, &ip6->saddr, sizeof(ip6->saddr));
	__builtin_memcpy(flow->remote, &ip6->daddr, sizeof(ip6->daddr));
	if (ip6->nexthdr != IPPROTO_FRAGMENT)
		return ip6 + 1;
	fragment = (void *)(ip6 + 1);
	if ((void *)(fragment + 1) > cur->end || fragment->frag_off & bpf_htons(IPV6_OFFSET))
		return NULL;
	flow->protocol = fragment->nexthdr;
	return fragment + 1;
}

/* What a packet that goes out does to its flow. */
enum flow_step {
	FLOW_IS_NONE,
	FLOW_GOES_ON, /* if there is one */
	FLOW_BEGINS,
};

/*
 * A TCP socket of this host needs none, since what comes in finds it; one that is not a full
 * one belongs to a handshake that a listener of ours answers, or has ended. But a socket that is
 * bound to another device (a VLAN's, a VRF's, the bridge over this port) is not found: the
 * kernel looks for it by the device the packet came in by.
 *
 * What is forwarded may begin a flow anywhere in a conversation, which can be older than the
 * attach. Of this host's own only the first segment may: others that no socket sends are the
 * kernel's, for a socket that is not there yet (SYN cookies, which strangers ask for) or no
 * longer (the last acknowledgement, before Linux 6.13).
 */
static __always_inline enum flow_step tcp_step(struct __sk_buff *skb, const struct tcphdr *tcp)
{
	struct bpf_sock *socket = skb->sk;

	if (tcp->rst)
		return FLOW_IS_NONE;
	if (skb->ingress_ifindex || purpose == PURPOSE_REPLAY)
		return FLOW_BEGINS;
	if (socket) {
		socket = bpf_sk_fullsock(socket);
		if (!socket)
			return FLOW_IS_NONE;
		if (socket->type == SOCK_STREAM && socket->protocol == IPPROTO_TCP)
			return socket->bound_dev_if && socket->bound_dev_if != skb->ifindex
				       ? FLOW_BEGINS
				       : FLOW_IS_NONE;
	}
	return tcp->syn && !tcp->ack ? FLOW_BEGINS : FLOW_GOES_ON;
}

/* Reads the ports; returns the key that a reply will have, or KEYS where there is no flow. */
static __always_inline __u32 egress_transport(struct __sk_buff *skb, struct cursor *cur,
					      void *header, struct flow_key *flow,
					      enum flow_step *step)
{
	struct icmphdr *icmp = header;
	struct tcphdr *tcp = header;

	if ((void *)(icmp + 1) > cur->end)
		return KEYS;
	if (flow->protocol == IPPROTO_UDP || flow->protocol == IPPROTO_TCP) {
		flow->local_port = tcp->source;
		flow->remote_port = tcp->dest;
	}
	switch (flow->protocol) {
	case IPPROTO_UDP:
		return PORT_KEY_UDP + bpf_ntohs(flow->local_port);
	case IPPROTO_TCP:
		if ((void *)(tcp + 1) > cur->end)
			return KEYS;
		*step = tcp_step(skb, tcp);
		return *step == FLOW_IS_NONE ? KEYS
					     : PORT_KEY_TCP + bpf_ntohs(flow->local_port);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (icmp->type != ICMP_ECHO_REQUEST_TYPE &&
		    icmp->type != ICMPV6_ECHO_REQUEST_TYPE)
			return KEYS;
		flow->remote_port = icmp->un.echo.id;
	}
	return KEY_PROTOCOL + flow->protocol;
}

/*
 * Whether the other side's packets need the flow to be let in: a rule that names
 * it does without, and must not be outlived by what it let in.
 */
static __always_inline bool needs_flow(const struct subject *subject, __u32 key, __u32 slot)
{
	entry_t entry = table[slot].entries[key];

	if (entry_has_detail(entry))
		entry = follow(subject, entry, slot, false);
	return !entry_has_detail(entry) && entry_flags(entry) & ENTRY_REPLY;
}

SEC("tc")
int egress(struct __sk_buff *skb)
{
	struct cursor cur = {
		.pos = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
	};
	struct subject subject = { 0 };
	void *header = egress_network(&cur, &subject.flow);
	enum flow_step step = FLOW_BEGINS;
	__u64 key;

	if (!header)
		return TC_ACT_UNSPEC;
	key = egress_transport(skb, &cur, header, &subject.flow, &step);
	barrier_var(key);
	if (key < KEYS && needs_flow(&subject, key, control.generation & 1))
		remember(&subject.flow, step == FLOW_BEGINS);
	return TC_ACT_UNSPEC;
}

#endif
