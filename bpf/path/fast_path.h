/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plain: the way of the plain packet, which nearly all are: untagged, IP with neither
 * options nor extension headers, no fragment, TCP or UDP, well-formed, in one buffer, and
 * to a port whose entry is the whole answer. It is a short cut through parse, judge and
 * charge, and must never answer otherwise than they would.
 *
 * It costs what its instructions do, and most of all each jump (tests/bench/NOTES.md). So
 * the words of this CPU are looked up before any register holds something, and nothing else
 * is; headers are compared as words; and TCP and UDP of either family each have all of the
 * way for themselves, straight on, with what is rare behind it.
 */
#ifndef PATH_FAST_PATH_H
#define PATH_FAST_PATH_H

#include "base/event.h"
#include "packet/parse.h"
#include "path/slow_path.h"
#include "verdict/charge.h"

/* No verdicts: the packet has to go the long way, to be parsed, or to be judged only. */
enum plain_not {
	NOT_PLAIN = -2,
	NOT_PLAIN_PORT = -1,
};

/* Ethernet pads a short packet to 60 bytes; more behind it may be more buffers. */
#define PADDING_MAX 60

/*
 * A frame up to this long is taken to be in one buffer when its packet is: where
 * a driver splits behind the headers, the bytes of a trailer after a packet that
 * is all headers are then not counted. Asking would cost every packet a call.
 */
#define FRAME_ONE_BUFFER 1522

/* Ethernet, IPv4 and TCP. With IPv4, a datagram in less than that is none that a wire had. */
#define PLAIN_SIZE (sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct tcphdr))
/* How much more it is to the end of IPv6 and UDP, and from there to that of TCP. */
#define PLAIN_IPV6                                                                             \
	(sizeof(struct ethhdr) + sizeof(struct ipv6hdr) + sizeof(struct udphdr) - PLAIN_SIZE)
#define PLAIN_TCP (sizeof(struct tcphdr) - sizeof(struct udphdr))

struct plain {
	struct xdp_md *ctx;
	struct cpu_counters *own;
	const void *past; /* the headers so far */
	const void *end; /* of the frame */
	__u64 room; /* in the frame behind its first PLAIN_SIZE bytes */
	int length; /* of the packet behind its IP header, as that says */
	__u32 place;
	struct packet *packet; /* for NOT_PLAIN_PORT */
};

/* As it is in the packet; volatile, or the compiler would load parts of it. */
static __always_inline __be32 load_word(const void *at)
{
	return *(const volatile __be32 *)at;
}

/* The same as a number. Linux 6.1 knows no bounds of one whose bytes were swapped. */
static __always_inline __u64 load_number(const void *at)
{
	__u64 value = bpf_ntohl(load_word(at));

	barrier_var(value);
	return value;
}

/*
 * Goes on by so many bytes; false where there are fewer. What is read then is before the
 * pointer that was compared: to keep where it was would be one more instruction.
 */
static __always_inline bool plain_skip(struct plain *plain, __u32 size)
{
	plain->past += size;
	barrier_var(plain->past);
	return plain->past <= plain->end;
}

/* What an entry is at most if it has no flag, is no reject, and has a line that there is. */
#define PLAIN_ENTRY (ENTRY_LINE_MAX | ENTRY_MADE | ENTRY_PASS)

/* `at`: where the entry is in the table, in bytes. So a key is never multiplied twice. */
static __always_inline int plain_entry(const struct plain *plain, __u64 at, __u64 entry,
				       __u64 bytes, bool watched)
{
	count_t either = count_line(plain->own, entry & ENTRY_LINE, bytes);
	__u64 word = at * (sizeof(count_t) / sizeof(entry_t));
	__u32 place = plain->place;

	barrier_var(word);
	either |= count_port(plain->own, word, entry, bytes);
	if (either & COUNT_FULL)
		goto more;
	if (watched)
		goto watched;
	return leave((entry & ENTRY_PASS) + VERDICT_DROP);
watched:
	if (entry & ENTRY_PASS || is_sampled(word / sizeof(count_t)))
		return leave((entry & ENTRY_PASS) + VERDICT_DROP);
more:
	/* Or both would be known before, for all who come here. */
	barrier_var(place);
	barrier_var(word);
	return leave(attend_to(plain->ctx, place, word / sizeof(count_t), entry));
}

static __always_inline __u32 may_reply(const struct plain *plain, __u64 at)
{
	const struct tcphdr *tcp = plain->past - sizeof(*tcp);

	return at >= PORT_KEY_UDP * sizeof(entry_t) ? 1 : tcp_answers(tcp);
}

/* What has another entry, but for one, is judged on the long way. */
static __always_inline int plain_port(const struct plain *plain, __u64 at)
{
	__u64 entry, bytes = plain->room + PLAIN_SIZE;
	bool watched = is_watched();
	__u32 reply, place = plain->place;

	entry = *(entry_t *)((void *)table[control.generation & 1].entries + at);
	barrier_var(entry);
	if (entry > PLAIN_ENTRY)
		goto flagged;
	return plain_entry(plain, at, entry, bytes, watched);
flagged:
	reply = may_reply(plain, at);
	/* A flood of what opens connections to shut ports is plain as well. */
	if (entry != entry_make(VERDICT_DROP, ENTRY_REPLY, LINE_DEFAULT_DROP) || reply)
		goto asks;
	return plain_entry(plain, at, entry_make(VERDICT_DROP, 0, LINE_DEFAULT_DROP), bytes,
			   watched);
asks:
	barrier_var(place); /* as above */
	*plain->packet = (struct packet){
		.own = plain->own,
		.key = at / sizeof(entry_t),
		.bytes = bytes,
		.place = place,
		.may_reply = reply,
	};
	return NOT_PLAIN_PORT;
}

static __always_inline int plain_tcp(struct plain *plain)
{
	const struct tcphdr *tcp = plain->past - sizeof(*tcp);
	__u32 header = ((const __u8 *)tcp)[12]; /* in its upper half, in words */

	if (header < sizeof(*tcp) << 2)
		return NOT_PLAIN;
	/* With reserved bits it may be 3 more, and the packet not plain then. */
	if ((int)(header >> 2) > plain->length)
		return NOT_PLAIN;
	return plain_port(plain, (load_number(&tcp->source) & 0xFFFF) * sizeof(entry_t));
}

static __always_inline int plain_udp(const struct plain *plain, const struct udphdr *udp)
{
	int length = load_number(&udp->len) >> 16;

	if (length < (int)sizeof(*udp) || length > plain->length)
		return NOT_PLAIN;
	return plain_port(plain, (PORT_KEY_UDP | (load_number(&udp->source) & 0xFFFF)) *
					 sizeof(entry_t));
}

/* Whether the frame holds the packet behind an IP header of that size, and is in one buffer. */
static __always_inline bool fits(const struct plain *plain, int size)
{
	/* What `room` leaves out of the frame behind the header. */
	int more = (int)(PLAIN_SIZE - sizeof(struct ethhdr)) - size;
	__u32 behind = (int)plain->room + more - plain->length; /* huge for less than nothing */

	return behind <= PADDING_MAX && plain->room <= FRAME_ONE_BUFFER - PLAIN_SIZE;
}

static __always_inline int plain_ipv4(struct plain *plain)
{
	const struct iphdr *ip = plain->past - sizeof(struct tcphdr) - sizeof(*ip);
	__be32 protocol;

	plain->length = load_number(&ip->tot_len) >> 16;
	plain->length -= (int)sizeof(*ip);
	if (!fits(plain, sizeof(*ip)))
		return NOT_PLAIN;
	plain->place = sizeof(struct ethhdr) | (sizeof(struct ethhdr) + sizeof(*ip)) << 16;
	protocol = load_word(&ip->frag_off) & bpf_htonl((IPV4_OFFSET | IPV4_MORE) << 16 | 0xFF);
	if (protocol == bpf_htonl(IPPROTO_TCP))
		return plain_tcp(plain);
	barrier_var(protocol); /* or TCP might be asked for last */
	if (protocol == bpf_htonl(IPPROTO_UDP))
		return plain_udp(plain, plain->past - sizeof(struct tcphdr));
	return NOT_PLAIN;
}

static __always_inline int plain_ipv6(struct plain *plain)
{
	const struct ipv6hdr *ip;
	__be32 protocol;

	if (!plain_skip(plain, PLAIN_IPV6))
		return NOT_PLAIN;
	ip = plain->past - sizeof(struct udphdr) - sizeof(*ip);
	if ((load_word((const void *)ip - 2) & bpf_htonl(0xFFFFF000)) !=
	    bpf_htonl((__u32)ETH_P_IPV6 << 16 | 0x6000))
		return NOT_PLAIN;
	plain->length = load_number(&ip->payload_len) >> 16;
	if (!fits(plain, sizeof(*ip)))
		return NOT_PLAIN;
	plain->place = sizeof(struct ethhdr) | (sizeof(struct ethhdr) + sizeof(*ip)) << 16;
	protocol = load_word(&ip->payload_len) & bpf_htonl(0xFF00);
	/* UDP first: it has more to do where it is second, by measurement. */
	if (protocol == bpf_htonl(IPPROTO_UDP << 8))
		return plain_udp(plain, plain->past - sizeof(struct udphdr));
	barrier_var(protocol);
	if (protocol == bpf_htonl(IPPROTO_TCP << 8))
		return plain_skip(plain, PLAIN_TCP) ? plain_tcp(plain) : NOT_PLAIN;
	return NOT_PLAIN;
}

/* Leaves with the verdict on a plain packet, which is counted; or returns enum plain_not. */
static __always_inline int plain_packet(struct xdp_md *ctx, struct cpu_counters *own,
					struct packet *packet)
{
	struct plain plain = { .ctx = ctx, .packet = packet, .own = own };
	const struct ethhdr *eth;

	if (!plain.own)
		return NOT_PLAIN;
	plain.past = (void *)(long)ctx->data;
	plain.end = (void *)(long)ctx->data_end;
	if (!plain_skip(&plain, PLAIN_SIZE))
		return NOT_PLAIN;
	plain.room = plain.end - plain.past;
	barrier_var(plain.room); /* or halves of pointers would be subtracted */
	eth = plain.past - PLAIN_SIZE;
	if ((load_word(&eth->h_proto) & bpf_htonl(0xFFFFFF00)) ==
	    bpf_htonl(ETH_P_IP << 16 | 0x4500))
		return plain_ipv4(&plain);
	return plain_ipv6(&plain);
}

#endif
