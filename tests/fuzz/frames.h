/* SPDX-License-Identifier: GPL-2.0-only */
/* Random frames: consistent headers, some of which are then falsified or cut off. */
#ifndef FRAMES_H
#define FRAMES_H

#include <string.h>

#include "random.h"

#define RANDOM_FRAME_MAX 1500

/* The destination addresses of all frames. */
#define LOCAL4 "\xc0\0\2\1"
#define LOCAL6 "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"

/* A connection, request or echo that this host began. */
struct conversation {
	struct prefix remote; /* an address */
	int protocol;
	unsigned int remote_port; /* ICMP: the identifier */
	unsigned int local_port;
	bool fragment; /* the outgoing packet is a fragment */
	bool unseen; /* it is a later fragment or a reset, which allow no replies */
};

struct random_frame {
	__u8 bytes[RANDOM_FRAME_MAX];
	size_t size;
};

static inline __u8 *add_bytes(struct random_frame *frame, size_t count)
{
	__u8 *at = frame->bytes + frame->size;

	frame->size += count;
	return at;
}

static inline void set_two(__u8 *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* Returns `right`, or sometimes a wrong length, close to it or not. */
static inline unsigned int random_length(struct random *random, unsigned int right)
{
	if (!random_once_in(random, 12))
		return right;
	return random_once_in(random, 2) ? random_below(random, 48)
					 : right + random_below(random, 17) - 8;
}

/* Returns mostly a port of the random rules. */
static inline unsigned int random_port(struct random *random)
{
	static const __u16 known[] = { 22, 67, 68, 546, 547, 53 };

	switch (random_below(random, 4)) {
	case 0:
		return random_below(random, 65536);
	case 1:
		return known[random_below(random, ARRAY_SIZE(known))];
	default:
		return 60 + random_below(random, 24);
	}
}

/* Overwrites ports or ICMP type and identifier with those of a reply in a conversation. */
static inline void put_answer(const struct conversation *with, __u8 *at)
{
	if (with->protocol == 6 || with->protocol == 17) {
		set_two(at, with->remote_port);
		set_two(at + 2, with->local_port);
	} else if (with->protocol == 1 || with->protocol == 58) {
		at[0] = with->protocol == 1 ? 0 : 129;
		set_two(at + 4, with->remote_port);
	}
}

/* Sets the ports of a DHCP server and client, or similar ones. */
static inline void put_dhcp(struct random *random, __u8 *at)
{
	static const __u16 ports[] = { 67, 68, 546, 547 };
	unsigned int source = random_below(random, 4);

	set_two(at, ports[source]);
	set_two(at + 2,
		ports[random_once_in(random, 2) ? source ^ 1 : random_below(random, 4)]);
}

static inline void put_transport(struct random *random, struct random_frame *frame,
				 int protocol, const struct conversation *with)
{
	size_t data = random_below(random, 40), options = 0, begin = frame->size;
	__u8 *at;

	if (protocol == 6) {
		options = random_once_in(random, 4) ? 4 * random_below(random, 11) : 0;
		at = add_bytes(frame, 20 + options);
		set_two(at, random_port(random));
		set_two(at + 2, random_port(random));
		set_two(at + 4, random_next(random));
		set_two(at + 6, random_next(random));
		set_two(at + 8, random_next(random));
		set_two(at + 10, random_next(random));
		at[12] = random_length(random, 20 + options) / 4 << 4;
		at[13] = 1 << random_below(random, 6) | (random_once_in(random, 3) ? 16 : 0);
	} else if (protocol == 17) {
		at = add_bytes(frame, 8);
		set_two(at, random_port(random));
		set_two(at + 2, random_port(random));
		set_two(at + 4, random_length(random, 8 + data));
		if (random_once_in(random, 16))
			put_dhcp(random, at);
	} else if (protocol == 1 || protocol == 58) {
		static const __u8 types[] = { 0,   1,	2,   3,	  4,   5,   8,
					      11,  12,	127, 128, 129, 130, 132,
					      133, 135, 137, 138, 142, 143, 144 };

		at = add_bytes(frame, 8);
		at[0] = types[random_below(random, ARRAY_SIZE(types))];
	}
	add_bytes(frame, data);
	if (with)
		put_answer(with, frame->bytes + begin);
}

static inline int random_protocol(struct random *random, bool ipv6)
{
	static const __u8 protocols[] = { 6, 6, 6, 17, 17, 17, 1, 58, 47, 50, 59, 132 };

	if (random_once_in(random, 8))
		return ipv6 ? 58 : 1;
	return protocols[random_below(random, ARRAY_SIZE(protocols))];
}

static inline void put_ipv4(struct random *random, struct random_frame *frame,
			    const struct prefix *source, const struct conversation *with)
{
	size_t header = 20 + (random_once_in(random, 5) ? 4 * random_below(random, 11) : 0);
	size_t begin = frame->size;
	int protocol = with ? with->protocol : random_protocol(random, false);
	__u8 *at = add_bytes(frame, header);

	at[0] = 0x40 | (random_length(random, header) / 4 & 15);
	at[9] = protocol;
	if (random_once_in(random, 6))
		set_two(at + 6, random_once_in(random, 2) ? 0x2000 : random_below(random, 4));
	if (random_once_in(random, 20))
		set_two(at + 6, random_below(random, 65536));
	memcpy(at + 12, source->address, 4);
	memcpy(at + 16, LOCAL4, 4);
	put_transport(random, frame, protocol, with);
	set_two(at + 2, random_length(random, frame->size - begin));
}

/* Offset and flags of an IPv6 fragment header: mostly the first fragment or one near it. */
static inline unsigned int random_fragment(struct random *random)
{
	switch (random_below(random, 4)) {
	case 0:
		return random_below(random, 65536);
	case 1:
		return random_below(random, 4 * 8);
	default:
		return random_below(random, 2);
	}
}

static inline int put_extension(struct random *random, struct random_frame *frame, int next)
{
	static const __u8 kinds[] = { 0, 43, 44, 51, 60, 135 };
	int kind = kinds[random_below(random, ARRAY_SIZE(kinds))];
	size_t units = random_below(random, 3);
	__u8 *at;

	if (kind == 51)
		units = 2 * units + 2; /* 32-bit words less two (RFC 4302) */
	at = add_bytes(frame, kind == 44 ? 8 : kind == 51 ? (units + 2) * 4 : (units + 1) * 8);
	at[0] = next;
	at[1] = kind == 44 ? 0 : random_length(random, 8 * units) / 8;
	if (kind == 44)
		set_two(at + 2, random_fragment(random));
	return kind;
}

/* Extension headers are made from the last to the first, as each names the next. */
static inline void put_ipv6(struct random *random, struct random_frame *frame,
			    const struct prefix *source, const struct conversation *with)
{
	size_t begin = frame->size;
	int protocol = with ? with->protocol : random_protocol(random, true);
	int next = protocol;
	unsigned int count = random_once_in(random, 3) ? 1 + random_below(random, 10) : 0;
	__u8 *at = add_bytes(frame, 40);
	struct random_frame chain[10];

	at[0] = 0x60;
	memcpy(at + 8, source->address, 16);
	memcpy(at + 24, LOCAL6, 16);
	for (unsigned int i = 0; i < count; i++) {
		memset(&chain[i], 0, sizeof(chain[i]));
		next = put_extension(random, &chain[i], next);
	}
	at[6] = next;
	for (unsigned int i = count; i > 0; i--)
		memcpy(add_bytes(frame, chain[i - 1].size), chain[i - 1].bytes,
		       chain[i - 1].size);
	put_transport(random, frame, protocol, with);
	set_two(at + 4, random_length(random, frame->size - begin - 40));
}

/* Changes random bytes, cuts the frame off, or adds a trailer. */
static inline void spoil(struct random *random, struct random_frame *frame)
{
	if (random_once_in(random, 4)) {
		for (unsigned int i = random_below(random, 3); i < 3; i++)
			frame->bytes[12 + random_below(random, 60)] = random_next(random);
	}
	if (random_once_in(random, 6))
		frame->size -= random_below(random, frame->size - 14);
	if (random_once_in(random, 4))
		add_bytes(frame, random_below(random, 30));
	if (frame->size < 14)
		frame->size = 14; /* BPF_PROG_TEST_RUN refuses shorter frames */
}

/* Sets a broadcast, multicast, unspecified, loopback or similar address. */
static inline void misdirect(struct random *random, struct random_frame *frame, size_t at)
{
	static const __u8 firsts[] = { 0, 1, 127, 223, 224, 239, 240, 255 };
	bool ipv4 = frame->bytes[at] >> 4 == 4;
	size_t destination = at + (ipv4 ? 16 : 24), source = at + (ipv4 ? 12 : 8);

	switch (random_below(random, 3)) {
	case 0:
		frame->bytes[0] = random_once_in(random, 2) ? 0xFF : 0x33;
		break;
	case 1:
		frame->bytes[destination] = firsts[random_below(random, ARRAY_SIZE(firsts))];
		break;
	default:
		frame->bytes[source] = firsts[random_below(random, ARRAY_SIZE(firsts))];
	}
}

/* Makes a frame from `source`; a reply in the conversation `with`, unless that is NULL. */
static inline void random_frame(struct random *random, const struct prefix *source,
				const struct conversation *with, struct random_frame *frame)
{
	size_t network;
	unsigned int tags = random_once_in(random, 4) ? random_below(random, 4) : 0;

	memset(frame, 0, sizeof(*frame));
	memcpy(add_bytes(frame, 14), "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	for (unsigned int i = 0; i < tags; i++) {
		set_two(frame->bytes + frame->size - 2,
			random_once_in(random, 2) ? 0x8100 : 0x88a8);
		add_bytes(frame, 4);
	}
	set_two(frame->bytes + frame->size - 2, random_once_in(random, 40) ? 0x0806
						: source->family == 4	   ? 0x0800
									   : 0x86dd);
	network = frame->size;
	if (source->family == 4)
		put_ipv4(random, frame, source, with);
	else
		put_ipv6(random, frame, source, with);
	if (random_once_in(random, 12))
		misdirect(random, frame, network);
	spoil(random, frame);
}

#endif
