/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rejecting: the packet is replaced by its answer and sent back. The answer to TCP is a reset
 * (RFC 9293, 3.10.7.1), that to other protocols an ICMP or ICMPv6 "unreachable" (RFC 792, RFC
 * 1122; RFC 4443). It keeps the VLAN tags and has complete checksums. Resets, ICMP errors,
 * multicast, broadcast and fragments are never answered, and a token bucket limits all
 * answers. A packet without an answer is dropped.
 */
#ifndef VERDICT_REJECT_H
#define VERDICT_REJECT_H

#include "base/bucket.h"
#include "base/maps.h"
#include "packet/headers.h"
#include "packet/packet.h"

#define REJECT_INTERVAL 1000000ull /* nanoseconds: 1,000 answers a second */
#define REJECT_TOLERANCE 999000000ull /* nanoseconds: 1,000 answers at once */
#define ANSWER_TTL 64

/* Bytes that an ICMP error quotes of the packet at most: its IP header and 8 more. */
#define QUOTE4 72
#define QUOTE6 48

#define LINK_MASK 31 /* a link header has at most 22 bytes: Ethernet and two VLAN tags */

/* Everything that the answer needs, read before the packet is overwritten. */
struct refused {
	struct flow_key flow;
	struct tcphdr tcp;
	__u32 tcp_length; /* sequence numbers that the segment occupies (SEG.LEN) */
	__u32 key;
	offsets_t offsets;
};

/* An answer: an IP header and what follows it. */
struct answer4 {
	struct iphdr ip;
	union {
		struct tcphdr tcp;
		struct {
			struct icmphdr icmp;
			__u8 quote[QUOTE4];
		};
	};
};

struct answer6 {
	struct ipv6hdr ip;
	union {
		struct tcphdr tcp;
		struct {
			struct icmp6hdr icmp;
			__u8 quote[QUOTE6];
		};
	};
};

static __always_inline __sum16 fold(__u64 sum)
{
	sum = (sum & 0xFFFF) + ((sum >> 16) & 0xFFFF) + ((sum >> 32) & 0xFFFF) + (sum >> 48);
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	return ~sum;
}

/*
 * The sum of the Internet checksum (RFC 1071) over `size` bytes, an even number; not yet
 * folded.
 */
static __always_inline __u64 sum_words(const void *data, __u32 size)
{
	const __u16 *words = data;
	__u64 sum = 0;

	for (__u32 i = 0; i < size / 2; i++)
		sum += words[i];
	return sum;
}

/* The reset that a closed port would send (RFC 9293, 3.10.7.1). */
static __always_inline void build_reset(const struct refused *refused, struct tcphdr *reset)
{
	const struct tcphdr *tcp = &refused->tcp;

	__builtin_memset(reset, 0, sizeof(*reset));
	reset->source = tcp->dest;
	reset->dest = tcp->source;
	reset->doff = sizeof(*reset) / 4;
	reset->rst = 1;
	if (tcp->ack) {
		reset->seq = tcp->ack_seq;
	} else {
		reset->ack = 1;
		reset->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + refused->tcp_length);
	}
}

static __always_inline bool is_tcp(const struct refused *refused)
{
	return refused->key < PORT_KEY_UDP;
}

/*
 * Reads what an ICMP error quotes: the IP header, which has 20 to 60 bytes (IPv6: 40), and 8
 * more. `room` is the size of `quote`. Returns the bytes read; 0 if they cannot be read.
 */
static __always_inline __u32 read_quote(struct xdp_md *ctx, offsets_t offsets, __u8 *quote,
					__u64 room)
{
	__u64 size = offsets_transport(offsets) - offsets_network(offsets) + 8;

	barrier_var(size);
	if (size > room)
		return 0;
	/* Keep clang from joining both comparisons: that proves no lower bound to Linux 6.1. */
	barrier_var(size);
	if (size < 8 || bpf_xdp_load_bytes(ctx, offsets_network(offsets), quote, size))
		return 0;
	return size;
}

/* Builds an IPv4 answer. Returns its bytes; 0: it cannot be built. */
static __always_inline __u32 build4(struct xdp_md *ctx, const struct refused *refused,
				    struct answer4 *answer)
{
	const struct flow_key *flow = &refused->flow;
	__u32 size = sizeof(struct tcphdr);
	struct iphdr *ip = &answer->ip;

	__builtin_memset(answer, 0, sizeof(*answer));
	if (!is_tcp(refused)) {
		size = read_quote(ctx, refused->offsets, answer->quote, sizeof(answer->quote));
		if (!size)
			return 0;
		size += sizeof(struct icmphdr);
	}
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = bpf_htons(sizeof(*ip) + size);
	ip->frag_off = bpf_htons(IPV4_DONT_FRAGMENT);
	ip->ttl = ANSWER_TTL;
	ip->protocol = is_tcp(refused) ? IPPROTO_TCP : IPPROTO_ICMP;
	__builtin_memcpy(&ip->saddr, flow->local, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, flow->remote, sizeof(ip->daddr));
	ip->check = fold(sum_words(ip, sizeof(*ip)));
	if (is_tcp(refused)) {
		build_reset(refused, &answer->tcp);
		answer->tcp.check =
			fold(sum_words(&ip->saddr, 8) + bpf_htons(IPPROTO_TCP) +
			     bpf_htons(size) + sum_words(&answer->tcp, sizeof(answer->tcp)));
	} else {
		answer->icmp.type = ICMP_DEST_UNREACH;
		answer->icmp.code =
			refused->key < PORT_KEYS ? ICMP_PORT_UNREACH : ICMP_PROT_UNREACH;
		answer->icmp.checksum = fold(
			sum_words(&answer->icmp, sizeof(answer->icmp) + sizeof(answer->quote)));
	}
	return sizeof(*ip) + size;
}

/* The same for IPv6. */
static __always_inline __u32 build6(struct xdp_md *ctx, const struct refused *refused,
				    struct answer6 *answer)
{
	const struct flow_key *flow = &refused->flow;
	__u32 size = is_tcp(refused) ? sizeof(struct tcphdr)
				     : sizeof(struct icmp6hdr) + sizeof(answer->quote);
	struct ipv6hdr *ip = &answer->ip;
	__u64 pseudo;

	__builtin_memset(answer, 0, sizeof(*answer));
	if (!is_tcp(refused) &&
	    !read_quote(ctx, refused->offsets, answer->quote, sizeof(answer->quote)))
		return 0;
	ip->version = 6;
	ip->payload_len = bpf_htons(size);
	ip->nexthdr = is_tcp(refused) ? IPPROTO_TCP : IPPROTO_ICMPV6;
	ip->hop_limit = ANSWER_TTL;
	__builtin_memcpy(&ip->saddr, flow->local, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, flow->remote, sizeof(ip->daddr));
	pseudo = sum_words(&ip->saddr, 32) + bpf_htons(ip->nexthdr) + bpf_htons(size);
	if (is_tcp(refused)) {
		build_reset(refused, &answer->tcp);
		answer->tcp.check = fold(pseudo + sum_words(&answer->tcp, sizeof(answer->tcp)));
	} else {
		answer->icmp.icmp6_type = ICMPV6_DEST_UNREACH;
		answer->icmp.icmp6_code =
			refused->key < PORT_KEYS ? ICMPV6_PORT_UNREACH : ICMPV6_ADM_PROHIBITED;
		answer->icmp.icmp6_cksum =
			fold(pseudo + sum_words(&answer->icmp,
						sizeof(answer->icmp) + sizeof(answer->quote)));
	}
	return sizeof(*ip) + size;
}

/* Not answered: from or to multicast and broadcast, and from an unspecified address. */
static __always_inline bool is_answerable(const struct flow_key *flow)
{
	if (flow->family == 4)
		return flow->remote[0] && flow->remote[0] < 224 && flow->local[0] < 224;
	return flow->remote[0] && flow->remote[0] != 0xFF && flow->local[0] != 0xFF;
}

static __always_inline bool is_sent_to_group(struct xdp_md *ctx)
{
	struct cursor cur = cursor_at(ctx, 0);
	struct ethhdr *eth = cur.pos;

	return (void *)(eth + 1) > cur.end || eth->h_dest[0] & 1;
}

/*
 * Reads the IP header; false if the packet must not be answered. Behind IPv6 extension headers
 * could be a fragment, so such packets are not answered either.
 */
static __always_inline bool read_refused_network(struct xdp_md *ctx, offsets_t offsets,
						 struct refused *refused)
{
	struct cursor cur = cursor_at(ctx, offsets_network(offsets));
	__u32 header = offsets_transport(offsets) - offsets_network(offsets);
	struct network network;

	if (!read_network(&cur, &network) || network.later_fragment || network.more_fragments)
		return false;
	if (network.family == 6 && header != sizeof(struct ipv6hdr))
		return false;
	flow_of_received(&network, &refused->flow);
	refused->tcp_length = network.length;
	return true;
}

/*
 * Whether it is an ICMP error, or a message that must not be answered by one either: source
 * quench and redirect (RFC 1122, 3.2.2), unknown ICMPv6 errors and redirect (RFC 4443, 2.4 e).
 */
static __always_inline bool is_error(struct xdp_md *ctx, const struct refused *refused)
{
	const struct flow_key *flow = &refused->flow;
	__u8 type;

	if (flow->protocol != (flow->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return false;
	if (bpf_xdp_load_bytes(ctx, offsets_transport(refused->offsets), &type, sizeof(type)))
		return true;
	if (flow->family == 6)
		return type < ICMPV6_ECHO_REQUEST || type == ICMPV6_REDIRECT;
	return (type >= ICMP_DEST_UNREACH && type <= ICMP_REDIRECT) ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* Reads everything that the answer needs; false if the packet must not be answered. */
static __always_inline bool read_refused(struct xdp_md *ctx, offsets_t offsets, __u32 key,
					 struct refused *refused)
{
	struct tcphdr *tcp = &refused->tcp;

	refused->key = key;
	refused->offsets = offsets;
	if (!offsets_transport(offsets) || is_sent_to_group(ctx) ||
	    !read_refused_network(ctx, offsets, refused) || !is_answerable(&refused->flow) ||
	    is_error(ctx, refused))
		return false;
	if (!is_tcp(refused))
		return true;
	if (bpf_xdp_load_bytes(ctx, offsets_transport(offsets), tcp, sizeof(*tcp)) || tcp->rst)
		return false;
	refused->tcp_length += tcp->syn + tcp->fin - tcp->doff * 4;
	return true;
}

/*
 * Resizes the frame to its link header and `size` bytes, and swaps the link header's
 * addresses. The frame grows at its head: the kernel guarantees room there
 * (XDP_PACKET_HEADROOM), but not at its tail.
 */
static __always_inline bool turn_frame(struct xdp_md *ctx, const struct refused *refused,
				       __u32 size)
{
	__u32 network = offsets_network(refused->offsets) & LINK_MASK;
	int change = network + size - bpf_xdp_get_buff_len(ctx);
	__u8 link[LINK_MASK + 1], to[6];

	if (bpf_xdp_load_bytes(ctx, 0, link, sizeof(link)))
		return false;
	if (change > 0 ? bpf_xdp_adjust_head(ctx, -change) : bpf_xdp_adjust_tail(ctx, change))
		return false;
	__builtin_memcpy(to, link, 6);
	__builtin_memcpy(link, link + 6, 6);
	__builtin_memcpy(link + 6, to, 6);
	/* Two comparisons for Linux 6.1, as in read_quote(). */
	barrier_var(network);
	if (network > LINK_MASK)
		return false;
	barrier_var(network);
	if (network < sizeof(struct ethhdr))
		return false;
	return !bpf_xdp_store_bytes(ctx, 0, link, network);
}

static __always_inline bool is_allowed_to_answer(void)
{
	__u32 index = LINE_DEFAULT_REJECT;
	__u64 *bucket = bpf_map_lookup_elem(&buckets, &index);

	return bucket && bucket_take(bucket, REJECT_INTERVAL, REJECT_TOLERANCE);
}

/* One buffer for both: the verifier limits the stack. */
union answer {
	struct answer4 ipv4;
	struct answer6 ipv6;
};

/* Replaces the packet by its answer; false if that is not possible. */
static __always_inline bool answer(struct xdp_md *ctx, const struct refused *refused)
{
	union answer answer;
	__u64 size = refused->flow.family == 4 ? build4(ctx, refused, &answer.ipv4)
					       : build6(ctx, refused, &answer.ipv6);

	barrier_var(size); /* keeps the comparisons, which prove the bounds to the verifier */
	if (size > sizeof(answer))
		return false;
	barrier_var(size); /* see read_quote() */
	if (size < sizeof(answer.ipv4.ip))
		return false;
	return turn_frame(ctx, refused, size) &&
	       !bpf_xdp_store_bytes(ctx, offsets_network(refused->offsets), &answer, size);
}

/* Returns XDP_TX if the packet was replaced by its answer, XDP_DROP if there is none. */
__noinline int reject(struct xdp_md *ctx, offsets_t offsets, __u32 key)
{
	struct refused refused = { 0 };

	if (!read_refused(ctx, offsets, key, &refused) || !is_allowed_to_answer())
		return XDP_DROP;
	return answer(ctx, &refused) ? XDP_TX : XDP_DROP;
}

#endif
