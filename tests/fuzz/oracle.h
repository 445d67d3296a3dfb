/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test oracle for packets: a parser written from the RFCs that shares no code with the data
 * path, byte by byte and slow. Keys are those of include/portctl/key.h.
 *
 * RFC 791, 792, 768, 9293; 8200, 4302, 4443, 2710, 4861, 3810, 2675; 1858, 3128, 7112.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <string.h>

#include "rules/ruleset.h"

struct reading {
	__u32 key;
	struct prefix source; /* family 0: not a whole IP header */
	struct prefix destination;
	__u16 source_port; /* TCP and UDP */
	__u8 tcp_flags;
	__u8 icmp_type; /* ICMP over IPv4, ICMPv6 over IPv6 */
	__u16 icmp_id; /* identifier of an echo request or reply */
	int protocol; /* transport protocol; -1: unknown */
	size_t network; /* byte offset of the IP header in the frame */
	size_t transport; /* byte offset of the transport header in the frame */
	bool fragment; /* any fragment, also the first */
	bool extended; /* has IPv6 extension headers */
};

struct oracle {
	const __u8 *bytes;
	size_t size; /* of the frame */
	size_t at; /* byte offset of what is read next */
	struct reading *reading;
};

static inline __u32 two_bytes(const struct oracle *oracle, size_t offset)
{
	return oracle->bytes[oracle->at + offset] << 8 | oracle->bytes[oracle->at + offset + 1];
}

static inline size_t bytes_left(const struct oracle *oracle)
{
	return oracle->size - oracle->at;
}

/*
 * Read a header and return the key. `claimed`: bytes from here to the packet's end according to
 * its IP header. `more`: the packet is a first fragment, so its data may be longer.
 */
static inline __u32 read_tcp(struct oracle *oracle, size_t claimed, bool more)
{
	size_t header;

	if (bytes_left(oracle) < 20 || claimed < 20)
		return KEY_MALFORMED;
	header = (oracle->bytes[oracle->at + 12] >> 4) * 4;
	if (header < 20 || (!more && header > claimed))
		return KEY_MALFORMED;
	oracle->reading->source_port = two_bytes(oracle, 0);
	oracle->reading->tcp_flags = oracle->bytes[oracle->at + 13];
	return PORT_KEY_TCP + two_bytes(oracle, 2);
}

static inline __u32 read_udp(struct oracle *oracle, size_t claimed, bool more)
{
	if (bytes_left(oracle) < 8 || claimed < 8 || two_bytes(oracle, 4) < 8)
		return KEY_MALFORMED;
	if (!more && two_bytes(oracle, 4) > claimed)
		return KEY_MALFORMED;
	oracle->reading->source_port = two_bytes(oracle, 0);
	return PORT_KEY_UDP + two_bytes(oracle, 2);
}

static inline void read_echo(const struct oracle *oracle)
{
	oracle->reading->icmp_type = oracle->bytes[oracle->at];
	oracle->reading->icmp_id = two_bytes(oracle, 4);
}

static inline __u32 read_icmp(const struct oracle *oracle, size_t claimed)
{
	int type;

	if (bytes_left(oracle) < 8 || claimed < 8)
		return KEY_MALFORMED;
	read_echo(oracle);
	type = oracle->bytes[oracle->at];
	if (type == 3 || type == 11 || type == 12)
		return KEY_ERROR;
	return type == 8 ? KEY_ECHO : KEY_PROTOCOL + 1;
}

static inline __u32 read_icmp6(const struct oracle *oracle, size_t claimed)
{
	int type;

	if (bytes_left(oracle) < 8 || claimed < 8)
		return KEY_MALFORMED;
	read_echo(oracle);
	type = oracle->bytes[oracle->at];
	if (type >= 1 && type <= 4)
		return KEY_ERROR6;
	if (type == 128)
		return KEY_ECHO6;
	/* 130-132 and 143: MLD; 133-137: neighbour discovery. */
	return (type >= 130 && type <= 137) || type == 143 ? KEY_NEIGHBOUR : KEY_PROTOCOL + 58;
}

static inline __u32 read_transport(struct oracle *oracle, int protocol, size_t claimed,
				   bool more, int family)
{
	oracle->reading->protocol = protocol;
	oracle->reading->transport = oracle->at;
	oracle->reading->fragment |= more;
	if (protocol == 6)
		return read_tcp(oracle, claimed, more);
	if (protocol == 17)
		return read_udp(oracle, claimed, more);
	if (protocol == 1 && family == 4)
		return read_icmp(oracle, claimed);
	if (protocol == 58 && family == 6)
		return read_icmp6(oracle, claimed);
	return KEY_PROTOCOL + protocol;
}

/* RFC 3128: a TCP fragment at byte 8 would overwrite the flags. */
static inline __u32 read_later_fragment(const struct oracle *oracle, int protocol,
					size_t offset)
{
	oracle->reading->fragment = true;
	return protocol == 6 && offset == 8 ? KEY_MALFORMED : KEY_FRAGMENT;
}

static inline __u32 read_ipv4(struct oracle *oracle)
{
	size_t header, total, offset;
	int protocol;

	if (bytes_left(oracle) < 20 || oracle->bytes[oracle->at] >> 4 != 4)
		return KEY_MALFORMED;
	header = (oracle->bytes[oracle->at] & 15) * 4;
	total = two_bytes(oracle, 2);
	if (header < 20 || total < header || total > bytes_left(oracle))
		return KEY_MALFORMED;
	oracle->reading->source = (struct prefix){ .family = 4, .length = 32 };
	oracle->reading->destination = oracle->reading->source;
	memcpy(oracle->reading->source.address, oracle->bytes + oracle->at + 12, 4);
	memcpy(oracle->reading->destination.address, oracle->bytes + oracle->at + 16, 4);
	oracle->reading->network = oracle->at;
	offset = (two_bytes(oracle, 6) & 0x1fff) * 8;
	protocol = oracle->bytes[oracle->at + 9];
	if (offset)
		return read_later_fragment(oracle, protocol, offset);
	{
		bool more = two_bytes(oracle, 6) & 0x2000;

		oracle->at += header;
		return read_transport(oracle, protocol, total - header, more, 4);
	}
}

/* Hop-by-hop, routing, fragment, authentication, destination options, mobility. */
static inline bool is_extension_header(int protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 ||
	       protocol == 60 || protocol == 135;
}

static inline size_t extension_length(const struct oracle *oracle, int protocol)
{
	size_t units = oracle->bytes[oracle->at + 1];

	if (protocol == 44)
		return 8;
	return protocol == 51 ? (units + 2) * 4 : (units + 1) * 8;
}

static inline __u32 read_extensions(struct oracle *oracle, int protocol, size_t claimed)
{
	bool more = false;

	for (int count = 0; is_extension_header(protocol); count++) {
		int next;
		size_t length;

		if (count == 8 || (count && protocol == 0) || bytes_left(oracle) < 8)
			return KEY_MALFORMED;
		oracle->reading->extended = true;
		length = extension_length(oracle, protocol);
		if (length > claimed)
			return KEY_MALFORMED;
		next = oracle->bytes[oracle->at];
		if (protocol == 44) {
			size_t offset = two_bytes(oracle, 2) & 0xfff8;

			if (offset)
				return read_later_fragment(oracle, next, offset);
			more = two_bytes(oracle, 2) & 1;
		}
		oracle->at += length;
		claimed -= length;
		protocol = next;
		/* The header is longer than the rest of the frame. */
		if (oracle->at > oracle->size)
			return KEY_MALFORMED;
	}
	return read_transport(oracle, protocol, claimed, more, 6);
}

static inline __u32 read_ipv6(struct oracle *oracle)
{
	size_t payload;
	int next;

	if (bytes_left(oracle) < 40 || oracle->bytes[oracle->at] >> 4 != 6)
		return KEY_MALFORMED;
	payload = two_bytes(oracle, 4);
	next = oracle->bytes[oracle->at + 6];
	oracle->reading->source = (struct prefix){ .family = 6, .length = 128 };
	oracle->reading->destination = oracle->reading->source;
	memcpy(oracle->reading->source.address, oracle->bytes + oracle->at + 8, 16);
	memcpy(oracle->reading->destination.address, oracle->bytes + oracle->at + 24, 16);
	oracle->reading->network = oracle->at;
	oracle->at += 40;
	if (!payload && next == 0)
		payload = bytes_left(oracle); /* a jumbogram */
	if (payload > bytes_left(oracle))
		return KEY_MALFORMED;
	return read_extensions(oracle, next, payload);
}

static inline __u32 read_ethernet(struct oracle *oracle)
{
	__u32 type;

	if (oracle->size < 14)
		return KEY_MALFORMED;
	type = two_bytes(oracle, 12);
	oracle->at = 14;
	for (int tags = 0; type == 0x8100 || type == 0x88a8; tags++) {
		if (tags == 2 || bytes_left(oracle) < 4)
			return KEY_MALFORMED;
		type = two_bytes(oracle, 2);
		oracle->at += 4;
	}
	if (type == 0x0800)
		return read_ipv4(oracle);
	return type == 0x86dd ? read_ipv6(oracle) : KEY_NOT_IP;
}

/* Reads a frame and returns what is in it. */
static inline struct reading read_frame(const __u8 *bytes, size_t size)
{
	struct reading reading = { .protocol = -1 };
	struct oracle oracle = { .bytes = bytes, .size = size, .reading = &reading };

	reading.key = read_ethernet(&oracle);
	return reading;
}

#endif
