/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse: from the frame to its key. One cursor, one function a header.
 *
 * A header that lies is KEY_MALFORMED: one that is cut off, that claims more
 * than the packet holds, or that is a fragment made to hide the ports. No honest
 * host sends what is called malformed here, and passing it on could let it reach
 * a port for which nobody judged it.
 */
#ifndef PACKET_PARSE_H
#define PACKET_PARSE_H

#include "base/kernel.h"
#include "packet/packet.h"
#include "portctl/key.h"
#include "portctl/protocol.h"

#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88A8
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD

/* Those the kernel's own enumeration has not. */
#define IPPROTO_ICMPV6 58
#define IPPROTO_HOPOPTS 0 /* of IPv6, as is the next */
#define IPPROTO_FRAGMENT 44

#define VLAN_TAGS_MAX 2
#define EXTENSIONS_MAX 8

/* Of the fragment field, after conversion to host byte order. */
#define IPV4_OFFSET 0x1FFF /* in units of 8 bytes */
#define IPV4_MORE 0x2000
#define IPV6_OFFSET 0xFFF8 /* in bytes */
#define IPV6_MORE 0x0001

/* ICMP messages by type (RFC 792, 4443, 2710, 4861, 3810). */
#define ICMP_DEST_UNREACH 3
#define ICMP_REDIRECT 5
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_PARAMPROB 4
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_MLD_QUERY 130
#define ICMPV6_NEIGHBOUR_LAST 137 /* redirect */
#define ICMPV6_MLD2_REPORT 143

struct cursor {
	void *pos;
	void *end; /* of what can be read directly: the first buffer */
};

static __always_inline struct cursor cursor_at_start(struct xdp_md *ctx)
{
	return (struct cursor){
		.pos = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};
}

/*
 * The same once more, where the frame may have changed or was looked at before:
 * the compiler must load the pointers anew, or it makes a copy of their lower
 * halves, which is no pointer to the verifier.
 */
static __always_inline struct cursor cursor_again(struct xdp_md *ctx)
{
	struct cursor cur;

	asm volatile("%[pos] = *(u32 *)(%[ctx] + 0)\n"
		     "%[end] = *(u32 *)(%[ctx] + 4)"
		     : [pos] "=&r"(cur.pos), [end] "=&r"(cur.end)
		     : [ctx] "r"(ctx));
	return cur;
}

/* Moves past the next `size` bytes; false where there are fewer. */
static __always_inline bool skip(struct cursor *cur, __u32 size)
{
	if (unlikely(cur->pos + size > cur->end))
		return false;
	cur->pos += size;
	return true;
}

/* As bpf_ntohs(); but Linux 6.1 knows no bounds of a number whose bytes were swapped. */
static __always_inline __u64 host_order(__be16 field)
{
	__u64 value = bpf_ntohs(field);

	barrier_var(value);
	return value & 0xFFFF;
}

/* The bit field would be loaded as two bytes and put in order first. */
static __always_inline __u32 tcp_header_size(const struct tcphdr *tcp)
{
	return ((const __u8 *)tcp)[12] >> 2 & 0x3C;
}

/* ACK, RST and FIN: a segment with none of them opens a connection. */
static __always_inline __u32 tcp_answers(const struct tcphdr *tcp)
{
	return ((const __u8 *)tcp)[13] & 0x15;
}

/*
 * The key of a TCP segment or UDP datagram with `length` bytes, headers and all.
 * In a first fragment (`more`) the header must be whole, or the ports and flags
 * could be put together behind our back (RFC 1858, RFC 7112).
 */
static __always_inline __u32 parse_tcp(struct cursor *cur, struct packet *packet, __s64 length,
				       bool more)
{
	struct tcphdr *tcp = cur->pos;
	__s64 header;

	if (!skip(cur, sizeof(*tcp)))
		return KEY_MALFORMED;
	header = tcp_header_size(tcp);
	if (unlikely(header < (int)sizeof(*tcp)))
		return KEY_MALFORMED;
	if (unlikely(length < (more ? (int)sizeof(*tcp) : header)))
		return KEY_MALFORMED;
	packet->may_reply = tcp_answers(tcp);
	return PORT_KEY_TCP + host_order(tcp->dest);
}

static __always_inline __u32 parse_udp(struct cursor *cur, __s64 length, bool more)
{
	struct udphdr *udp = cur->pos;
	int claimed;

	if (!skip(cur, sizeof(*udp)))
		return KEY_MALFORMED;
	claimed = bpf_ntohs(udp->len);
	if (unlikely(claimed < (int)sizeof(*udp) ||
		     length < (more ? (int)sizeof(*udp) : claimed)))
		return KEY_MALFORMED;
	return PORT_KEY_UDP + host_order(udp->dest);
}

/* ICMP by its kind: the lifelines are told apart from the rest of the protocol. */
static __always_inline __u32 parse_icmp(struct cursor *cur, __u32 length)
{
	struct icmphdr *icmp = cur->pos;

	if (!skip(cur, sizeof(*icmp)) || length < sizeof(*icmp))
		return KEY_MALFORMED;
	switch (icmp->type) {
	case ICMP_DEST_UNREACH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return KEY_ERROR;
	case ICMP_ECHO:
		return KEY_ECHO;
	}
	return KEY_PROTOCOL + IPPROTO_ICMP;
}

static __always_inline __u32 parse_icmp6(struct cursor *cur, __u32 length)
{
	struct icmp6hdr *icmp = cur->pos;

	if (!skip(cur, sizeof(*icmp)) || length < sizeof(*icmp))
		return KEY_MALFORMED;
	switch (icmp->icmp6_type) {
	case ICMPV6_DEST_UNREACH ... ICMPV6_PARAMPROB:
		return KEY_ERROR6;
	case ICMPV6_ECHO_REQUEST:
		return KEY_ECHO6;
	case ICMPV6_MLD_QUERY ... ICMPV6_NEIGHBOUR_LAST:
	case ICMPV6_MLD2_REPORT:
		return KEY_NEIGHBOUR;
	}
	return KEY_PROTOCOL + IPPROTO_ICMPV6;
}

static __always_inline __u32 parse_transport(struct cursor *cur, struct packet *packet,
					     __u8 protocol, __u32 length, bool more, bool ipv6)
{
	if (protocol == IPPROTO_TCP)
		return parse_tcp(cur, packet, length, more);
	if (protocol == IPPROTO_UDP)
		return parse_udp(cur, length, more);
	if (protocol == IPPROTO_ICMP && !ipv6)
		return parse_icmp(cur, length);
	if (protocol == IPPROTO_ICMPV6 && ipv6)
		return parse_icmp6(cur, length);
	return KEY_PROTOCOL + protocol;
}

/*
 * A fragment that is not the first carries no port. A TCP one that begins at
 * byte 8 would overwrite the flags of the segment already judged (RFC 3128).
 */
static __always_inline __u32 parse_later_fragment(__u8 protocol, __u32 offset)
{
	return protocol == IPPROTO_TCP && offset == 8 ? KEY_MALFORMED : KEY_FRAGMENT;
}

/*
 * Whether the frame holds `length` bytes from where its network header begins. Mostly the
 * first buffer does; how long all are takes a call.
 */
static __always_inline bool holds(struct xdp_md *ctx, const struct packet *packet,
				  const struct cursor *cur, const void *network, __u32 length)
{
	return length <= cur->end - network ||
	       length <= bpf_xdp_get_buff_len(ctx) - packet->place;
}

/* Parses an IPv4 packet; the cursor is left where the transport header begins. */
static __always_inline __u32 parse_ipv4(struct xdp_md *ctx, struct cursor *cur,
					struct packet *packet)
{
	struct iphdr *ip = cur->pos;
	__u32 header, length, fragment;

	if (!skip(cur, sizeof(*ip)) || ip->version != 4 || ip->ihl < 5)
		return KEY_MALFORMED;
	header = ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (length < header || !holds(ctx, packet, cur, ip, length))
		return KEY_MALFORMED;
	barrier_var(header); /* so that the mask, the verifier's proof, stays */
	if (!skip(cur, (header - sizeof(*ip)) & 63))
		return KEY_MALFORMED;
	fragment = bpf_ntohs(ip->frag_off);
	if (fragment & IPV4_OFFSET)
		return parse_later_fragment(ip->protocol, (fragment & IPV4_OFFSET) * 8);
	packet->place |= (packet->place + (cur->pos - (void *)ip)) << 16;
	return parse_transport(cur, packet, ip->protocol, length - header, fragment & IPV4_MORE,
			       false);
}

/* Bytes of the extension header whose length field is `units` (RFC 8200, 4302). */
static __always_inline __u32 extension_size(__u8 protocol, __u8 units)
{
	if (protocol == IPPROTO_FRAGMENT)
		return sizeof(struct frag_hdr); /* its length byte is reserved */
	if (protocol == IPPROTO_AH)
		return (units + 2) * 4;
	return (units + 1) * 8;
}

/* Where the walk through a chain of extension headers stands. */
struct walk {
	struct xdp_md *ctx;
	__u32 offset; /* of the next header in the frame */
	__u32 length; /* of the packet from there on */
	__u32 key; /* the answer, or KEYS as long as there is none */
	__u8 protocol; /* what the next header is */
	bool more; /* this is a first fragment */
};

/* Bytes that a chain can begin at the most into a frame: tags, headers, IPv6. */
#define WALK_OFFSET_MAX 0x7FFF

/* One extension header: bpf_loop() calls this for each; 1 ends the walk. */
static long walk_extension(__u32 index, struct walk *walk)
{
	struct cursor cur = cursor_at_start(walk->ctx);
	struct frag_hdr *ext; /* none is shorter */
	__u32 size, fragment;

	if (!is_extension(walk->protocol))
		return 1;
	walk->key = KEY_MALFORMED;
	/* Hop-by-hop options come first or not at all (RFC 8200, 4.1). */
	if (index == EXTENSIONS_MAX || (index > 0 && walk->protocol == IPPROTO_HOPOPTS))
		return 1;
	cur.pos += walk->offset & WALK_OFFSET_MAX;
	ext = cur.pos;
	if ((void *)(ext + 1) > cur.end)
		return 1;
	size = extension_size(walk->protocol, ext->reserved);
	if (size > walk->length)
		return 1;
	if (walk->protocol == IPPROTO_FRAGMENT) {
		fragment = bpf_ntohs(ext->frag_off);
		if (fragment & IPV6_OFFSET) {
			walk->key = parse_later_fragment(ext->nexthdr, fragment & IPV6_OFFSET);
			return 1;
		}
		walk->more = fragment & IPV6_MORE;
	}
	walk->offset += size;
	walk->length -= size;
	walk->protocol = ext->nexthdr;
	walk->key = KEYS;
	return 0;
}

/*
 * Walks the extension headers from the cursor on, in a packet that has `length`
 * bytes there. With bpf_loop() the verifier checks one step, and not every
 * sequence of eight: loading takes milliseconds and not half a second.
 */
static __always_inline __u32 parse_extensions(struct xdp_md *ctx, struct cursor *cur,
					      struct packet *packet, __u8 protocol,
					      __u32 length)
{
	struct walk walk = {
		.ctx = ctx,
		.offset = cur->pos - (void *)(long)ctx->data,
		.length = length,
		.key = KEYS,
		.protocol = protocol,
	};

	bpf_loop(EXTENSIONS_MAX + 1, walk_extension, &walk, 0);
	if (walk.key != KEYS)
		return walk.key;
	*cur = cursor_at_start(ctx);
	cur->pos += walk.offset & WALK_OFFSET_MAX;
	packet->place |= walk.offset << 16;
	return parse_transport(cur, packet, walk.protocol, walk.length, walk.more, true);
}

static __always_inline __u32 parse_ipv6(struct xdp_md *ctx, struct cursor *cur,
					struct packet *packet)
{
	struct ipv6hdr *ip = cur->pos;
	__u32 length;

	if (!skip(cur, sizeof(*ip)) || ip->version != 6)
		return KEY_MALFORMED;
	length = bpf_ntohs(ip->payload_len);
	/* A jumbogram has its length in an option: take the frame's (RFC 2675). */
	if (!length && ip->nexthdr == IPPROTO_HOPOPTS)
		length = bpf_xdp_get_buff_len(ctx) - packet->place - sizeof(*ip);
	else if (!holds(ctx, packet, cur, ip, sizeof(*ip) + length))
		return KEY_MALFORMED;
	if (is_extension(ip->nexthdr))
		return parse_extensions(ctx, cur, packet, ip->nexthdr, length);
	packet->place |= (packet->place + sizeof(*ip)) << 16;
	return parse_transport(cur, packet, ip->nexthdr, length, false, true);
}

static __always_inline bool is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* Every packet there is, but for what parse_any() does with the answer. */
static __always_inline __u32 parse_frame(struct xdp_md *ctx, struct packet *packet)
{
	struct cursor cur = cursor_at_start(ctx);
	struct ethhdr *eth = cur.pos;
	__be16 protocol;

	if (!skip(&cur, sizeof(*eth)))
		return KEY_MALFORMED;
	packet->place = sizeof(*eth);
	protocol = eth->h_proto;
	for (int i = 0; i < VLAN_TAGS_MAX && is_vlan(protocol); i++) {
		struct vlan_hdr *tag = cur.pos;

		if (!skip(&cur, sizeof(*tag)))
			return KEY_MALFORMED;
		packet->place += sizeof(*tag);
		protocol = tag->h_vlan_encapsulated_proto;
	}
	if (protocol == bpf_htons(ETH_P_IP))
		return parse_ipv4(ctx, &cur, packet);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(ctx, &cur, packet);
	return is_vlan(protocol) ? KEY_MALFORMED : KEY_NOT_IP;
}

/* Bits of a key in what parse_any() returns. */
#define KEY_BITS 18

/*
 * The key of any packet, behind it whether it may reply, and in the upper half its
 * place. Not static, so that the verifier checks it by itself and the plain packet's way
 * keeps its registers.
 */
__noinline __u64 parse_any(struct xdp_md *ctx)
{
	struct packet packet = { .may_reply = 1 };
	__u64 key = parse_frame(ctx, &packet);

	return key | !!packet.may_reply << KEY_BITS | (__u64)packet.place << 32;
}

static __always_inline void parse(struct xdp_md *ctx, struct packet *packet)
{
	__u64 found = parse_any(ctx), key = found & ((1 << KEY_BITS) - 1);

	/* It is below; the barrier lets the verifier see that it is. */
	barrier_var(key);
	packet->key = key < KEYS ? key : KEY_MALFORMED;
	packet->may_reply = found & 1 << KEY_BITS;
	packet->place = found >> 32;
	packet->bytes = bpf_xdp_get_buff_len(ctx);
}

#endif
