/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replies: is this packet part of a conversation that this host, or one behind
 * it, began? Local TCP is in the kernel's own socket table: nothing to fill,
 * nothing to expire, and connections from before the attach are there too.
 * Everything else is in the flow table.
 */
#ifndef FLOW_REPLY_H
#define FLOW_REPLY_H

#include "flow/flow.h"
#include "packet/subject.h"

#define TCP_LISTEN 10 /* include/net/tcp_states.h */

/*
 * Whether a local socket is in this conversation, established or on its way
 * there; a listener is not. The tuple is as the packet has it.
 */
static __always_inline bool has_socket(struct xdp_md *ctx, const struct flow_key *flow)
{
	struct bpf_sock_tuple tuple = { 0 };
	struct bpf_sock *socket;
	__u32 size;
	bool found;

	if (flow->family == 4) {
		__builtin_memcpy(&tuple.ipv4.saddr, flow->remote, sizeof(tuple.ipv4.saddr));
		__builtin_memcpy(&tuple.ipv4.daddr, flow->local, sizeof(tuple.ipv4.daddr));
		tuple.ipv4.sport = flow->remote_port;
		tuple.ipv4.dport = flow->local_port;
		size = sizeof(tuple.ipv4);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, flow->remote, sizeof(tuple.ipv6.saddr));
		__builtin_memcpy(tuple.ipv6.daddr, flow->local, sizeof(tuple.ipv6.daddr));
		tuple.ipv6.sport = flow->remote_port;
		tuple.ipv6.dport = flow->local_port;
		size = sizeof(tuple.ipv6);
	}
	socket = bpf_skc_lookup_tcp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	found = socket->state != TCP_LISTEN;
	bpf_sk_release(socket);
	return found;
}

/*
 * The same, asked once a second for each conversation: the kernel's answer costs
 * more than all else that happens to the packet. Only a socket that is there is
 * written down, so nothing from outside makes an entry.
 */
static __always_inline bool has_known_socket(struct xdp_md *ctx, const struct flow_key *key,
					     const struct tag *tag)
{
	__u32 index = flow_index(tag->part[0]);
	struct flow *known = bpf_map_lookup_elem(&sockets, &index);
	__u64 now = ticks_now();

	if (!known)
		return false;
	if (is_flow(known, tag) && known->until > now)
		return true;
	/* What was captured was not for the sockets that are there now. */
	if (purpose == PURPOSE_REPLAY || !has_socket(ctx, key))
		return false;
	if (purpose == PURPOSE_EXPLAIN)
		return true;
	/* Two at once may mix their tags: then neither is known. */
	known->tag[0] = tag->part[0];
	known->tag[1] = tag->part[1];
	known->until = now + ticks_per_second;
	return true;
}

/* A SYN never asks, so a flood of them pays for no look-up. */
static __always_inline bool is_reply(struct xdp_md *ctx, const struct subject *subject)
{
	bool tcp = subject->flow.protocol == IPPROTO_TCP;
	struct tag tag;

	if (tcp && !subject->tcp_answers)
		return false;
	tag = flow_tag(&subject->flow);
	return (tcp && has_known_socket(ctx, &subject->flow, &tag)) || has_flow(&tag);
}

/* To a client, of the same family: its port is the one before, or after, the server's. */
static __always_inline bool is_from_dhcp_server(const struct subject *subject)
{
	bool ipv4 = subject->flow.family == 4;

	return subject->flow.remote_port == bpf_htons(ipv4 ? DHCP_SERVER : DHCP6_SERVER) &&
	       subject->flow.local_port == bpf_htons(ipv4 ? DHCP_CLIENT : DHCP6_CLIENT);
}

#endif
