/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds a frame from a list of layers. The length and next-header fields are correct, unless
 * a layer sets a wrong value:
 *
 *   { IP4(), UDP(53), DATA(20) }                 a correct datagram
 *   { IP4(.length = SET(10)), UDP(53) }          tot_len is 10
 *   { TAG(0x8100), IP4(), TCP(22), SHORT(4) }    4 bytes too few, lengths adjusted
 *   { IP4(), TCP(22), CUT(4) }                   4 bytes too few, lengths not adjusted
 *
 * Checksums are not computed, because the data path does not check them.
 */
#ifndef PACKET_BUILDER_H
#define PACKET_BUILDER_H

#include <linux/types.h>
#include <stdbool.h>
#include <string.h>

#define FRAME_MAX 16384
#define LAYERS_MAX 16
#define ETHERNET_HEADER 14

/* Flags of TCP. */
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define ACK 0x10
#define SYN_ACK (SYN | ACK)

enum layer_kind {
	LAYER_END,
	LAYER_TAG,
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_EXTENSION,
	LAYER_FRAGMENT,
	LAYER_TCP,
	LAYER_UDP,
	LAYER_ICMP,
	LAYER_NEXT,
	LAYER_DATA,
	LAYER_SHORT,
	LAYER_CUT,
	LAYER_PAD,
	LAYER_BUFFER,
};

/* Overrides a field's correct value. A plain 0 in struct layer means "the correct value". */
#define SET(value) (0x10000 | (value))

struct layer {
	enum layer_kind kind;
	__u32 type; /* EtherType or IP protocol, its own; of LAYER_NEXT: the next header's */
	__u32 size; /* bytes of options, of an extension, of data, or to cut or pad */
	__u32 port; /* destination; the type of an ICMP message */
	__u32 from; /* source port; 0: 40000 */
	__u32 flags; /* TCP flags, as SET(); 0: SYN */
	__u32 version; /* IP version, as SET() */
	__u32 length; /* tot_len, payload_len or UDP length in bytes, as SET() */
	__u32 words; /* ihl, doff or an extension header's length field, as SET() */
	__u32 fragment; /* the header's fragment field, in host byte order */
};

/* clang-format off */
/* The layers behind Ethernet, which build() adds by itself. */
#define TAG(ethertype) { .kind = LAYER_TAG, .type = (ethertype) }
#define VLAN TAG(0x8100)
#define QINQ TAG(0x88A8)
#define IP4(...) { .kind = LAYER_IPV4, __VA_ARGS__ }
#define IP6(...) { .kind = LAYER_IPV6, __VA_ARGS__ }
#define TCP(number, ...) { .kind = LAYER_TCP, .port = (number), __VA_ARGS__ }
#define UDP(number, ...) { .kind = LAYER_UDP, .port = (number), __VA_ARGS__ }
#define ICMP4(message) { .kind = LAYER_ICMP, .type = 1, .port = (message) }
#define ICMP6(message) { .kind = LAYER_ICMP, .type = 58, .port = (message) }

/* Extension headers of IPv6, with their length in bytes. */
#define EXTENSION(protocol, bytes, ...) \
	{ .kind = LAYER_EXTENSION, .type = (protocol), .size = (bytes), __VA_ARGS__ }
#define HOPS(bytes, ...) EXTENSION(0, bytes, __VA_ARGS__)
#define ROUTING(bytes, ...) EXTENSION(43, bytes, __VA_ARGS__)
#define AUTH(bytes, ...) EXTENSION(51, bytes, __VA_ARGS__)
#define OPTIONS(bytes, ...) EXTENSION(60, bytes, __VA_ARGS__)
#define MOBILITY(bytes, ...) EXTENSION(135, bytes, __VA_ARGS__)
#define FRAGMENT6(bits) { .kind = LAYER_FRAGMENT, .fragment = (bits) }

/* Values of `fragment`, to be combined with |. Offsets are in bytes. */
#define MF4 0x2000
#define DF4 0x4000
#define EVIL4 0x8000
#define AT4(offset) ((offset) / 8)
#define MF6 1
#define AT6(offset) (offset)

/* A next-header field without the header, and payload. */
#define NEXT(number) { .kind = LAYER_NEXT, .type = (number) }
#define DATA(bytes) { .kind = LAYER_DATA, .size = (bytes) }
/* Removes bytes from the end: the length fields count them no more (SHORT), or still (CUT). */
#define SHORT(bytes) { .kind = LAYER_SHORT, .size = (bytes) }
#define CUT(bytes) { .kind = LAYER_CUT, .size = (bytes) }
/* A trailer behind the packet, which no length field counts. */
#define PAD(bytes) { .kind = LAYER_PAD, .size = (bytes) }
/* Splits the frame: size of the first buffer. */
#define BUFFER(bytes) { .kind = LAYER_BUFFER, .size = (bytes) }
/* clang-format on */

struct frame {
	__u8 bytes[FRAME_MAX];
	__u32 length;
	__u32 first_buffer; /* bytes of the frame in the first buffer; 0: the kernel decides */
};

/* A length field, to be filled in when the end of the packet is known. */
struct length_field {
	__u32 at; /* offset of the field in the frame */
	__u32 from; /* offset from which the length is counted */
};

struct builder {
	struct frame *frame;
	__u32 next; /* offset of the previous header's next-header field */
	bool next_is_ethertype;
	struct length_field fields[LAYERS_MAX];
	unsigned int field_count;
	int trailer; /* bytes of PAD less those of CUT */
};

static inline void put16(__u8 *at, __u16 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static inline __u32 set_or(__u32 value, __u32 otherwise)
{
	return value & SET(0) ? value & 0xFFFF : otherwise;
}

/* Appends bytes to the frame and returns their address. They are not zero, see build(). */
static inline __u8 *extend(struct builder *b, __u32 size)
{
	__u8 *at = b->frame->bytes + b->frame->length;

	b->frame->length += size;
	return at;
}

static inline void set_next(struct builder *b, __u32 type)
{
	if (b->next_is_ethertype)
		put16(b->frame->bytes + b->next, type);
	else
		b->frame->bytes[b->next] = type;
}

static inline void next_is_at(struct builder *b, const __u8 *at, bool is_ethertype)
{
	b->next = at - b->frame->bytes;
	b->next_is_ethertype = is_ethertype;
}

static inline void length_is_at(struct builder *b, const struct layer *layer, __u8 *at,
				const __u8 *from)
{
	if (layer->length) {
		put16(at, layer->length);
		return;
	}
	b->fields[b->field_count].at = at - b->frame->bytes;
	b->fields[b->field_count++].from = from - b->frame->bytes;
}

static inline void add_tag(struct builder *b, const struct layer *layer)
{
	__u8 *tag;

	set_next(b, layer->type);
	tag = extend(b, 4);
	put16(tag, 0x2007); /* priority 1, VLAN 7 */
	next_is_at(b, tag + 2, true);
}

static inline void add_ipv4(struct builder *b, const struct layer *layer)
{
	__u32 size = 20 + layer->size;
	__u8 *ip;

	set_next(b, 0x0800);
	ip = extend(b, size);
	memset(ip, 0, 20);
	ip[0] = set_or(layer->version, 4) << 4 | set_or(layer->words, size / 4);
	put16(ip + 6, layer->fragment);
	ip[8] = 64;
	memcpy(ip + 12, "\xC0\x00\x02\x01\xC6\x33\x64\x01", 8);
	memset(ip + 20, 1, layer->size); /* the option "no operation" */
	length_is_at(b, layer, ip + 2, ip);
	next_is_at(b, ip + 9, false);
}

static inline void add_ipv6(struct builder *b, const struct layer *layer)
{
	__u8 *ip;

	set_next(b, 0x86DD);
	ip = extend(b, 40);
	memset(ip, 0, 40);
	ip[0] = set_or(layer->version, 6) << 4;
	ip[7] = 64;
	memcpy(ip + 8, "\x20\x01\x0D\xB8", 4);
	memcpy(ip + 24, "\x20\x01\x0D\xB8", 4);
	ip[39] = 1;
	length_is_at(b, layer, ip + 4, ip + 40);
	next_is_at(b, ip + 6, false);
}

static inline void add_extension(struct builder *b, const struct layer *layer)
{
	__u32 units = layer->type == 51 ? layer->size / 4 - 2 : layer->size / 8 - 1;
	__u8 *ext;

	set_next(b, layer->type);
	ext = extend(b, layer->size);
	memset(ext, 0, layer->size);
	ext[1] = set_or(layer->words, units);
	next_is_at(b, ext, false);
}

static inline void add_fragment(struct builder *b, const struct layer *layer)
{
	__u8 *ext;

	set_next(b, 44);
	ext = extend(b, 8);
	memset(ext, 0, 8);
	ext[1] = 0xFF; /* reserved; a length field in other extension headers */
	put16(ext + 2, layer->fragment);
	next_is_at(b, ext, false);
}

static inline void add_tcp(struct builder *b, const struct layer *layer)
{
	__u32 size = 20 + layer->size;
	__u8 *tcp;

	set_next(b, 6);
	tcp = extend(b, size);
	memset(tcp, 0, size);
	put16(tcp, layer->from ?: 40000);
	put16(tcp + 2, layer->port);
	tcp[12] = set_or(layer->words, size / 4) << 4;
	tcp[13] = set_or(layer->flags, 2); /* SYN */
}

static inline void add_udp(struct builder *b, const struct layer *layer)
{
	__u8 *udp;

	set_next(b, 17);
	udp = extend(b, 8);
	memset(udp, 0, 8);
	put16(udp, layer->from ?: 40000);
	put16(udp + 2, layer->port);
	length_is_at(b, layer, udp + 4, udp);
}

/* A header of 8 bytes. The identifier, if it is an echo, is 0x1234. */
static inline void add_icmp(struct builder *b, const struct layer *layer)
{
	__u8 *icmp;

	set_next(b, layer->type);
	icmp = extend(b, 8);
	memset(icmp, 0, 8);
	icmp[0] = layer->port;
	put16(icmp + 4, 0x1234);
}

static inline void add_layer(struct builder *b, const struct layer *layer)
{
	static void (*const headers[])(struct builder *, const struct layer *) = {
		[LAYER_TAG] = add_tag,		 [LAYER_IPV4] = add_ipv4,
		[LAYER_IPV6] = add_ipv6,	 [LAYER_EXTENSION] = add_extension,
		[LAYER_FRAGMENT] = add_fragment, [LAYER_TCP] = add_tcp,
		[LAYER_UDP] = add_udp,		 [LAYER_ICMP] = add_icmp,
	};

	switch (layer->kind) {
	case LAYER_NEXT:
		set_next(b, layer->type);
		break;
	case LAYER_DATA:
		extend(b, layer->size);
		break;
	case LAYER_SHORT:
		b->frame->length -= layer->size;
		break;
	case LAYER_CUT:
		b->trailer -= layer->size;
		break;
	case LAYER_PAD:
		b->trailer += layer->size;
		break;
	case LAYER_BUFFER:
		b->frame->first_buffer = layer->size;
		break;
	default:
		headers[layer->kind](b, layer);
	}
}

/*
 * Builds the frame; `layers` has LAYERS_MAX elements. Unset bytes are 0x55, which make a
 * plausible header (doff 5, port 21845), so that a parser that reads too far is noticed.
 */
static inline void build(struct frame *frame, const struct layer *layers)
{
	struct builder b = { .frame = frame, .next = 12, .next_is_ethertype = true };

	memset(frame->bytes, 0x55, sizeof(frame->bytes));
	memcpy(frame->bytes, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	frame->length = ETHERNET_HEADER;
	frame->first_buffer = 0;
	for (unsigned int i = 0; i < LAYERS_MAX && layers[i].kind; i++)
		add_layer(&b, &layers[i]);
	for (unsigned int i = 0; i < b.field_count; i++) {
		const struct length_field *field = &b.fields[i];

		put16(frame->bytes + field->at, frame->length - field->from);
	}
	frame->length += b.trailer;
}

/* Inserts a VLAN tag behind the Ethernet addresses. */
static inline void add_tag_to_frame(struct frame *frame, __u16 ethertype)
{
	__u8 *at = frame->bytes + 12;

	memmove(at + 4, at, frame->length - 12);
	put16(at, ethertype);
	put16(at + 2, 9);
	frame->length += 4;
	if (frame->first_buffer)
		frame->first_buffer += 4;
}

static inline __u16 frame_type(const struct frame *frame)
{
	return frame->bytes[12] << 8 | frame->bytes[13];
}

#endif
