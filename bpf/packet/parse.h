/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parser: from any frame to its key. One cursor, and one function for each header.
 *
 * A packet is KEY_MALFORMED if a header is cut off, if a header claims more bytes than the
 * packet has, or if it is a fragment of the kind that hides ports. No correct host sends such a
 * packet, and the host could read other ports in it than those that were judged.
 */
#ifndef PACKET_PARSE_H
#define PACKET_PARSE_H

#include "base/kernel.h"
#include "packet/cursor.h"
#include "packet/packet.h"
#include "packet/protocols.h"
#include "portctl/key.h"

#define VLAN_TAGS_MAX 2
#define EXTENSIONS_MAX 8

/*
 * The key of a TCP segment or UDP datagram. `length` is its number of bytes, headers included.
 * `more` says that it is a first fragment. The header must be complete in it: otherwise later
 * fragments could supply other ports and flags (RFC 1858, RFC 7112).
 */
static __always_inline __u32 parse_tcp(struct cursor *cur, struct packet *packet, __s64 length,
				       bool more)
{
	struct tcphdr *tcp = cur->pos;
	__s64 header;

	if (!cursor_skip(cur, sizeof(*tcp)))
		return KEY_MALFORMED;
	header = tcp_header_size(tcp);
	if (unlikely(header < (int)sizeof(*tcp)))
		return KEY_MALFORMED;
	if (unlikely(length < (more ? (int)sizeof(*tcp) : header)))
		return KEY_MALFORMED;
	packet->may_reply = tcp_continues(tcp);
	return PORT_KEY_TCP + host_order(tcp->dest);
}

static __always_inline __u32 parse_udp(struct cursor *cur, __s64 length, bool more)
{
	struct udphdr *udp = cur->pos;
	int claimed;

	if (!cursor_skip(cur, sizeof(*udp)))
		return KEY_MALFORMED;
	claimed = bpf_ntohs(udp->len);
	if (unlikely(claimed < (int)sizeof(*udp) ||
		     length < (more ? (int)sizeof(*udp) : claimed)))
		return KEY_MALFORMED;
	return PORT_KEY_UDP + host_order(udp->dest);
}

/* Kinds of ICMP that are lifelines have keys of their own. */
static __always_inline __u32 parse_icmp(struct cursor *cur, __u32 length)
{
	struct icmphdr *icmp = cur->pos;

	if (!cursor_skip(cur, sizeof(*icmp)) || length < sizeof(*icmp))
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

	if (!cursor_skip(cur, sizeof(*icmp)) || length < sizeof(*icmp))
		return KEY_MALFORMED;
	switch (icmp->icmp6_type) {
	case ICMPV6_DEST_UNREACH ... ICMPV6_PARAMPROB:
		return KEY_ERROR6;
	case ICMPV6_ECHO_REQUEST:
		return KEY_ECHO6;
	case ICMPV6_MLD_QUERY ... ICMPV6_REDIRECT:
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
 * A fragment that is not the first has no ports. One of TCP that begins at byte 8 would
 * overwrite the flags of a segment that was judged already (RFC 3128).
 */
static __always_inline __u32 parse_later_fragment(__u8 protocol, __u32 offset)
{
	return protocol == IPPROTO_TCP && offset == 8 ? KEY_MALFORMED : KEY_FRAGMENT;
}

/*
 * Whether the frame has `length` bytes from its network header on. The first buffer usually
 * does; the length of all buffers takes a call.
 */
static __always_inline bool holds(struct xdp_md *ctx, const struct packet *packet,
				  const struct cursor *cur, const void *network, __u32 length)
{
	return length <= cur->end - network ||
	       length <= bpf_xdp_get_buff_len(ctx) - offsets_network(packet->offsets);
}

/* Notes where the transport header begins: `size` bytes behind the network header. */
static __always_inline void set_transport(struct packet *packet, __u32 size)
{
	__u32 network = offsets_network(packet->offsets);

	packet->offsets = offsets_make(network, network + size);
}

/* The cursor is at the IPv4 header. Returns the key, as all these functions do. */
static __always_inline __u32 parse_ipv4(struct xdp_md *ctx, struct cursor *cur,
					struct packet *packet)
{
	struct iphdr *ip = cur->pos;
	__u32 header, length, fragment;

	if (!cursor_skip(cur, sizeof(*ip)) || ip->version != 4 || ip->ihl < 5)
		return KEY_MALFORMED;
	header = ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (length < header || !holds(ctx, packet, cur, ip, length))
		return KEY_MALFORMED;
	barrier_var(header); /* keeps the mask below, which proves the bound to the verifier */
	if (!cursor_skip(cur, (header - sizeof(*ip)) & 63))
		return KEY_MALFORMED;
	fragment = bpf_ntohs(ip->frag_off);
	if (fragment & IPV4_OFFSET)
		return parse_later_fragment(ip->protocol, (fragment & IPV4_OFFSET) * 8);
	set_transport(packet, header);
	return parse_transport(cur, packet, ip->protocol, length - header, fragment & IPV4_MORE,
			       false);
}

/* The bytes of an extension header whose length field is `units` (RFC 8200, RFC 4302). */
static __always_inline __u32 extension_size(__u8 protocol, __u8 units)
{
	if (protocol == IPPROTO_FRAGMENT)
		return sizeof(struct frag_hdr); /* has no length field */
	if (protocol == IPPROTO_AH)
		return (units + 2) * 4;
	return (units + 1) * 8;
}

/* The state of the walk through a chain of extension headers. */
struct walk {
	struct xdp_md *ctx;
	__u32 offset; /* of the next header in the frame */
	__u32 length; /* bytes of the packet from there on */
	__u32 key; /* the result; KEYS: none so far */
	__u8 protocol; /* of the next header */
	bool more; /* the packet is a first fragment */
};

/* One extension header; bpf_loop() calls it. Returns 1 to end the walk. */
static long walk_extension(__u32 index, struct walk *walk)
{
	struct cursor cur = cursor_at_start(walk->ctx);
	struct frag_hdr *ext; /* 8 bytes: no extension header is shorter */
	__u32 size, fragment;

	if (!is_extension(walk->protocol))
		return 1;
	walk->key = KEY_MALFORMED;
	/* Hop-by-hop options come first or not at all (RFC 8200, 4.1). */
	if (index == EXTENSIONS_MAX || (index > 0 && walk->protocol == IPPROTO_HOPOPTS))
		return 1;
	cur.pos += walk->offset & OFFSET_MASK;
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
 * Walks the extension headers from the cursor on; the packet has `length` bytes there. With
 * bpf_loop() the verifier checks one step and not all sequences of eight: loading takes
 * milliseconds instead of half a second.
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
	cur->pos += walk.offset & OFFSET_MASK;
	packet->offsets = offsets_make(offsets_network(packet->offsets), walk.offset);
	return parse_transport(cur, packet, walk.protocol, walk.length, walk.more, true);
}

static __always_inline __u32 parse_ipv6(struct xdp_md *ctx, struct cursor *cur,
					struct packet *packet)
{
	struct ipv6hdr *ip = cur->pos;
	__u32 length;

	if (!cursor_skip(cur, sizeof(*ip)) || ip->version != 6)
		return KEY_MALFORMED;
	length = bpf_ntohs(ip->payload_len);
	/* A jumbogram has its length in an option (RFC 2675): use that of the frame. */
	if (!length && ip->nexthdr == IPPROTO_HOPOPTS)
		length = bpf_xdp_get_buff_len(ctx) - offsets_network(packet->offsets) -
			 sizeof(*ip);
	else if (!holds(ctx, packet, cur, ip, sizeof(*ip) + length))
		return KEY_MALFORMED;
	if (is_extension(ip->nexthdr))
		return parse_extensions(ctx, cur, packet, ip->nexthdr, length);
	set_transport(packet, sizeof(*ip));
	return parse_transport(cur, packet, ip->nexthdr, length, false, true);
}

static __always_inline bool is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* Returns the key; sets packet->offsets, and packet->may_reply of a TCP segment. */
static __always_inline __u32 parse_frame(struct xdp_md *ctx, struct packet *packet)
{
	struct cursor cur = cursor_at_start(ctx);
	struct ethhdr *eth = cur.pos;
	__be16 protocol;

	if (!cursor_skip(&cur, sizeof(*eth)))
		return KEY_MALFORMED;
	packet->offsets = offsets_make(sizeof(*eth), 0);
	protocol = eth->h_proto;
	for (int i = 0; i < VLAN_TAGS_MAX && is_vlan(protocol); i++) {
		struct vlan_hdr *tag = cur.pos;

		if (!cursor_skip(&cur, sizeof(*tag)))
			return KEY_MALFORMED;
		packet->offsets += offsets_make(sizeof(*tag), 0);
		protocol = tag->h_vlan_encapsulated_proto;
	}
	if (protocol == bpf_htons(ETH_P_IP))
		return parse_ipv4(ctx, &cur, packet);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(ctx, &cur, packet);
	return is_vlan(protocol) ? KEY_MALFORMED : KEY_NOT_IP;
}

/*
 * What parse_any() returns. A function that is not inlined can only return one number:
 *
 *   63           48 47           32 31        19  18  17           0
 *  +---------------+---------------+------------+---+---------------+
 *  |   transport   |    network    |     0      | R |      key      |
 *  +---------------+---------------+------------+---+---------------+
 *
 *  R  may_reply. The upper half is offsets_t.
 */
#define PARSED_KEY_BITS 18
#define PARSED_MAY_REPLY_SHIFT PARSED_KEY_BITS
#define PARSED_OFFSETS_SHIFT 32

_Static_assert(KEYS <= 1 << PARSED_KEY_BITS, "the key field holds every key");

/* Not inlined: the fast path keeps its registers, and the verifier checks it only once. */
__noinline __u64 parse_any(struct xdp_md *ctx)
{
	struct packet packet = { .may_reply = 1 };
	__u64 key = parse_frame(ctx, &packet);

	return (__u64)packet.offsets << PARSED_OFFSETS_SHIFT |
	       !!packet.may_reply << PARSED_MAY_REPLY_SHIFT | key;
}

/* Parses any frame. Sets all of the packet but `own` and `slot`. */
static __always_inline void parse(struct xdp_md *ctx, struct packet *packet)
{
	__u64 parsed = parse_any(ctx), key = parsed & ((1 << PARSED_KEY_BITS) - 1);

	barrier_var(key); /* keep clang from comparing a copy: the bound would be lost */
	packet->key = key < KEYS ? key : KEY_MALFORMED;
	packet->may_reply = parsed & 1 << PARSED_MAY_REPLY_SHIFT;
	packet->offsets = parsed >> PARSED_OFFSETS_SHIFT;
	packet->bytes = bpf_xdp_get_buff_len(ctx);
}

#endif
