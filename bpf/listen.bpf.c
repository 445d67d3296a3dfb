// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports sockets that begin and cease to listen, for `portctl watch`; it is loaded while that
 * runs. Of UDP it reports sockets that are bound to a port. `portctl watch` itself notices when a
 * UDP socket is closed.
 */
#include "base/kernel.h"
#include <bpf/bpf_core_read.h>

#include "portctl/key.h"
#include "portctl/socket.h"

#define FAMILY_IPV4 2 /* AF_INET */
#define STATE_LISTEN 10 /* TCP_LISTEN */

/* The fields that are read of kernel types; CO-RE finds their offsets in the running kernel. */
struct net {
	__u64 net_cookie;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} __attribute__((preserve_access_index)) possible_net_t;

struct sock_common {
	__be32 skc_rcv_saddr;
	__u16 skc_num; /* host byte order */
	unsigned short skc_family;
	possible_net_t skc_net;
	struct in6_addr skc_v6_rcv_saddr;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
} __attribute__((preserve_access_index));

const volatile __u64 netns; /* the cookie of the namespace to watch */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} news SEC(".maps");

static __always_inline struct socket_event *begin(enum socket_news what, __u32 key, bool ipv4)
{
	struct socket_event *event = bpf_ringbuf_reserve(&news, sizeof(*event), 0);

	if (!event)
		return NULL; /* `portctl watch` notices the socket a little later */
	*event = (struct socket_event){
		.time = bpf_ktime_get_boot_ns(),
		.news = what,
		.key = key,
		.pid = bpf_get_current_pid_tgid() >> 32,
		.uid = bpf_get_current_uid_gid(),
		.family = ipv4 ? 4 : 6,
	};
	bpf_get_current_comm(event->program, sizeof(event->program));
	return event;
}

SEC("raw_tp/inet_sock_set_state")
int tcp_state(struct bpf_raw_tracepoint_args *ctx)
{
	const struct sock_common *socket = &((const struct sock *)ctx->args[0])->__sk_common;
	bool ipv4 = BPF_CORE_READ(socket, skc_family) == FAMILY_IPV4;
	struct socket_event *event;

	if ((ctx->args[1] == STATE_LISTEN) == (ctx->args[2] == STATE_LISTEN) ||
	    BPF_CORE_READ(socket, skc_net.net, net_cookie) != netns)
		return 0;
	event = begin(ctx->args[2] == STATE_LISTEN ? SOCKET_LISTENS : SOCKET_ENDS,
		      PORT_KEY_TCP + BPF_CORE_READ(socket, skc_num), ipv4);
	if (!event)
		return 0;
	if (ipv4)
		bpf_core_read(event->address, 4, &socket->skc_rcv_saddr);
	else
		bpf_core_read(event->address, 16, &socket->skc_v6_rcv_saddr);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline int udp_bound(struct bpf_sock *socket, bool ipv4)
{
	struct socket_event *event;

	if (socket->protocol != IPPROTO_UDP || bpf_get_netns_cookie(socket) != netns)
		return 1;
	event = begin(SOCKET_LISTENS, PORT_KEY_UDP + (__u16)socket->src_port, ipv4);
	if (!event)
		return 1;
	if (ipv4) {
		*(__u32 *)event->address = socket->src_ip4;
	} else {
		/* One by one: the verifier refuses to copy from the context. */
		((__u32 *)event->address)[0] = socket->src_ip6[0];
		((__u32 *)event->address)[1] = socket->src_ip6[1];
		((__u32 *)event->address)[2] = socket->src_ip6[2];
		((__u32 *)event->address)[3] = socket->src_ip6[3];
	}
	bpf_ringbuf_submit(event, 0);
	return 1; /* the bind is allowed */
}

SEC("cgroup/post_bind4")
int udp_bound4(struct bpf_sock *socket)
{
	return udp_bound(socket, true);
}

SEC("cgroup/post_bind6")
int udp_bound6(struct bpf_sock *socket)
{
	return udp_bound(socket, false);
}

char LICENSE[] SEC("license") = "GPL";
