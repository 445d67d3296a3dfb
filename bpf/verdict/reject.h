/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reject: the packet goes back as its own answer, a TCP reset (RFC 9293, 3.10.7.1)
 * or an ICMP or ICMPv6 "unreachable" (RFC 792, 1122; RFC 4443), built anew over
 * it with the same VLAN tags and whole checksums. Never in answer to a reset, an
 * ICMP error, multicast, broadcast or a fragment, and never more than a bucket
 * lets out: what is not answered is dropped.
 */
#ifndef VERDICT_REJECT_H
#define VERDICT_REJECT_H

#include "base/bucket.h"
#include "packet/parse.h"
#include "packet/subject.h"

#define REJECT_INTERVAL 1000000ull /* nanoseconds: 1,000 answers a second, */
#define REJECT_TOLERANCE 999000000ull /* and as many at once */
#define ANSWER_TTL 64
#define QUOTE4 72 /* bytes of the packet that an ICMP error carries at most: */
#define QUOTE6 48 /* its IP header and its ports */

#define LINK_MASK 31 /* a link header has at most 22 bytes: two VLAN tags */

/* Everything the answer needs, read before the packet is written over. */
struct refused {
	struct flow_key flow;
	struct tcphdr tcp;
	__u32 tcp_takes; /* sequence numbers that the segment takes */
	__u32 key;
	__u32 place;
};

/* An IP header and what follows it in an answer. */
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
	sum = (sum & 0xFFFF) + (sum >> 16 & 0xFFFF) + (sum >> 32 & 0xFFFF) + (sum >> 48);
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	return ~sum;
}

/* The Internet checksum's sum over `size` bytes (even), not yet folded. */
static __always_inline __u64 sum_words(const void *data, __u32 size)
{
	const __u16 *words = data;
	__u64 sum = 0;

	for (__u32 i = 0; i < size / 2; i++)
		sum += words[i];
	return sum;
}

/* The reset's numbers: as if the segment had come for a closed port. */
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
		reset->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + refused->tcp_takes);
	}
}

static __always_inline bool is_tcp(const struct refused *refused)
{
	return refused->key < PORT_KEY_UDP;
}

/*
 * Reads what an ICMP error quotes: the IP header and 8 bytes more. A header is 20 to 60
 * bytes, or 40 with IPv6. How many bytes, 0 where they cannot be read.
 */
static __always_inline __u32 read_quote(struct xdp_md *ctx, __u32 place, __u8 *quote,
					__u64 room)
{
	__u64 size = place_transport(place) - place_network(place) + 8;

	barrier_var(size);
	if (size > room)
		return 0;
	/* Apart from the other: both as one comparison prove no lower bound to Linux 6.1. */
	barrier_var(size);
	if (size < 8 || bpf_xdp_load_bytes(ctx, place_network(place), quote, size))
		return 0;
	return size;
}

/* The size of the answer; 0: there can be none. */
static __always_inline __u32 build4(struct xdp_md *ctx, const struct refused *refused,
				    struct answer4 *answer)
{
	const struct flow_key *flow = &refused->flow;
	__u32 size = sizeof(struct tcphdr);
	struct iphdr *ip = &answer->ip;

	__builtin_memset(answer, 0, sizeof(*answer));
	if (!is_tcp(refused)) {
		size = read_quote(ctx, refused->place, answer->quote, sizeof(answer->quote));
		if (!size)
			return 0;
		size += sizeof(struct icmphdr);
	}
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = bpf_htons(sizeof(*ip) + size);
	ip->frag_off = bpf_htons(0x4000);
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
		answer->icmp.code = refused->key < PORT_KEYS ? 3 : 2; /* port, protocol */
		answer->icmp.checksum = fold(
			sum_words(&answer->icmp, sizeof(answer->icmp) + sizeof(answer->quote)));
	}
	return sizeof(*ip) + size;
}

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
	    !read_quote(ctx, refused->place, answer->quote, sizeof(answer->quote)))
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
		answer->icmp.icmp6_code = refused->key < PORT_KEYS ? 4 : 1; /* port, policy */
		answer->icmp.icmp6_cksum =
			fold(pseudo + sum_words(&answer->icmp,
						sizeof(answer->icmp) + sizeof(answer->quote)));
	}
	return sizeof(*ip) + size;
}

/* Addresses that nothing is sent to: multicast, broadcast, nobody's. */
static __always_inline bool is_answerable(const struct flow_key *flow)
{
	if (flow->family == 4)
		return flow->remote[0] && flow->remote[0] < 224 && flow->local[0] < 224;
	return flow->remote[0] && flow->remote[0] != 0xFF && flow->local[0] != 0xFF;
}

/*
 * Reads the IP header; false where there must be no answer. With extension
 * headers there is none either: a fragment could be among them.
 */
static __always_inline bool read_network(struct xdp_md *ctx, __u32 place,
					 struct refused *refused)
{
	struct cursor cur = cursor_again(ctx);
	struct ethhdr *eth = cur.pos;
	struct iphdr *ip = cur.pos + (place_network(place) & OFFSET_MASK);
	struct ipv6hdr *ip6 = (void *)ip;
	__u32 header = place_transport(place) - place_network(place);

	if ((void *)(eth + 1) > cur.end || (void *)(ip + 1) > cur.end || eth->h_dest[0] & 1)
		return false;
	refused->place = place;
	if (ip->version == 4) {
		refused->tcp_takes = bpf_ntohs(ip->tot_len) - header;
		return !(ip->frag_off & bpf_htons(IPV4_OFFSET | IPV4_MORE));
	}
	if ((void *)(ip6 + 1) > cur.end || header != sizeof(*ip6))
		return false;
	refused->tcp_takes = bpf_ntohs(ip6->payload_len);
	return true;
}

/*
 * ICMP errors, and those that are treated as such: source quench and redirect (RFC 1122,
 * 3.2.2), what is not known yet, and redirect again (RFC 4443, 2.4 e).
 */
static __always_inline bool is_error(struct xdp_md *ctx, const struct refused *refused)
{
	const struct flow_key *flow = &refused->flow;
	__u8 type;

	if (flow->protocol != (flow->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return false;
	if (bpf_xdp_load_bytes(ctx, place_transport(refused->place), &type, sizeof(type)))
		return true;
	if (flow->family == 6)
		return type < ICMPV6_ECHO_REQUEST || type == ICMPV6_NEIGHBOUR_LAST;
	return (type >= ICMP_DEST_UNREACH && type <= ICMP_REDIRECT) ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

static __always_inline bool read_refused(struct xdp_md *ctx, __u32 place, __u32 key,
					 struct refused *refused)
{
	struct tcphdr *tcp = &refused->tcp;

	refused->key = key;
	if (!place_transport(place) || !read_addresses(ctx, place, &refused->flow) ||
	    !is_answerable(&refused->flow) || !read_network(ctx, place, refused) ||
	    is_error(ctx, refused))
		return false;
	if (!is_tcp(refused))
		return true;
	if (bpf_xdp_load_bytes(ctx, place_transport(place), tcp, sizeof(*tcp)) || tcp->rst)
		return false;
	refused->tcp_takes += tcp->syn + tcp->fin - tcp->doff * 4;
	return true;
}

/*
 * Makes the frame `size` bytes longer or shorter than its link header, and turns
 * the addresses in that round. It grows at its head: room is promised there
 * (XDP_PACKET_HEADROOM), and not at the tail.
 */
static __always_inline bool turn_frame(struct xdp_md *ctx, const struct refused *refused,
				       __u32 size)
{
	__u32 network = place_network(refused->place) & LINK_MASK;
	int change = network + size - bpf_xdp_get_buff_len(ctx);
	__u8 link[LINK_MASK + 1], to[6];

	if (bpf_xdp_load_bytes(ctx, 0, link, sizeof(link)))
		return false;
	if (change > 0 ? bpf_xdp_adjust_head(ctx, -change) : bpf_xdp_adjust_tail(ctx, change))
		return false;
	__builtin_memcpy(to, link, 6);
	__builtin_memcpy(link, link + 6, 6);
	__builtin_memcpy(link + 6, to, 6);
	/* Here and apart from each other: as read_quote() has it, for Linux 6.1. */
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

/* One after the other in the same place: the verifier limits how much stack there is. */
union answer {
	struct answer4 ipv4;
	struct answer6 ipv6;
};

static __always_inline bool answer(struct xdp_md *ctx, const struct refused *refused)
{
	union answer answer;
	__u64 size = refused->flow.family == 4 ? build4(ctx, refused, &answer.ipv4)
					       : build6(ctx, refused, &answer.ipv6);

	barrier_var(size); /* for the verifier, which wants it bounded */
	if (size > sizeof(answer))
		return false;
	barrier_var(size); /* see read_quote() */
	if (size < sizeof(answer.ipv4.ip))
		return false;
	return turn_frame(ctx, refused, size) &&
	       !bpf_xdp_store_bytes(ctx, place_network(refused->place), &answer, size);
}

/* Turns the packet into its answer: XDP_TX, or XDP_DROP where there is none. */
__noinline int reject(struct xdp_md *ctx, __u32 place, __u32 key)
{
	struct refused refused = { 0 };

	if (!read_refused(ctx, place, key, &refused) || !is_allowed_to_answer())
		return XDP_DROP;
	return answer(ctx, &refused) ? XDP_TX : XDP_DROP;
}

#endif
