/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replies: whether a packet belongs to a conversation that this host, or a host behind it,
 * began. Local TCP is in the kernel's own socket table: nothing has to be filled or expired,
 * and connections from before the attach are found too. All other conversations are in the
 * flow table.
 */
#ifndef FLOW_REPLY_H
#define FLOW_REPLY_H

#include "flow/flow.h"
#include "packet/headers.h"
#include "portctl/protocol.h"

#define TCP_LISTEN 10 /* include/net/tcp_states.h */

/*
 * Whether a local TCP socket belongs to this conversation: one that is connected or connecting,
 * not a listener. The kernel wants the tuple as it is in the packet.
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
 * Like has_socket(), but asks the kernel only once a second for each conversation: its look-up
 * costs more than all other work for the packet. Only a socket that exists is cached, so
 * packets from outside cannot fill the cache.
 */
static __always_inline bool has_cached_socket(struct xdp_md *ctx, const struct flow_key *key,
					      const struct tag *tag)
{
	__u32 index = flow_index(tag->part[0]);
	struct flow *known = bpf_map_lookup_elem(&sockets, &index);
	__u64 now = ticks_now();

	if (!known)
		return false;
	if (is_flow(known, tag) && known->until > now)
		return true;
	/* A capture is not about the sockets that this host has now. */
	if (purpose == PURPOSE_REPLAY || !has_socket(ctx, key))
		return false;
	if (purpose == PURPOSE_EXPLAIN)
		return true;
	/* Two CPUs at once may mix two tags: then neither conversation is cached. */
	known->tag[0] = tag->part[0];
	known->tag[1] = tag->part[1];
	known->until = now + ticks_per_second;
	return true;
}

/* A SYN is never a reply, so a SYN flood pays for no look-up. */
static __always_inline bool is_reply(struct xdp_md *ctx, const struct headers *headers)
{
	bool tcp = headers->flow.protocol == IPPROTO_TCP;
	struct tag tag;

	if (tcp && !headers->tcp_continues)
		return false;
	tag = flow_tag(&headers->flow);
	return (tcp && has_cached_socket(ctx, &headers->flow, &tag)) || has_flow(&tag);
}

/* Whether a packet goes from the port of a DHCP server to that of a client. */
static __always_inline bool is_from_dhcp_server(const struct headers *headers)
{
	bool ipv4 = headers->flow.family == 4;

	return headers->flow.remote_port == bpf_htons(ipv4 ? DHCP_SERVER : DHCP6_SERVER) &&
	       headers->flow.local_port == bpf_htons(ipv4 ? DHCP_CLIENT : DHCP6_CLIENT);
}

#endif
