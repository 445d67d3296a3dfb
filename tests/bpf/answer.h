/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answers of `reject`, built from the RFCs with code that the data path does not share:
 * a TCP reset or an ICMP error, byte by byte.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <string.h>

#include "packet_builder.h"

/* The Internet checksum (RFC 1071), added up byte by byte; `sum` is what to begin with. */
static inline __u16 checksum(const __u8 *data, __u32 size, __u32 sum)
{
	for (__u32 i = 0; i < size; i++)
		sum += i & 1 ? data[i] : data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return ~sum;
}

/* The sum of a pseudo header, not folded to 16 bits. */
static inline __u32 pseudo(const __u8 *addresses, __u32 size, __u8 protocol, __u32 length)
{
	return (__u16)~checksum(addresses, size, 0) + protocol + length;
}

/* Where the headers are in the frame to be answered. */
struct question {
	const __u8 *ip;
	const __u8 *transport;
	__u32 link; /* bytes of the link header */
	__u8 protocol;
	bool ipv4;
};

/* Writes the reset of a closed port (RFC 9293, 3.10.7.1). Returns its length. */
static inline __u32 make_reset(const struct question *question, __u8 *tcp)
{
	const __u8 *from = question->transport;
	__u32 length = question->ipv4 ? (question->ip[2] << 8 | question->ip[3]) -
						(question->ip[0] & 15) * 4
				      : (question->ip[4] << 8 | question->ip[5]);
	__u32 seq = (__u32)from[4] << 24 | from[5] << 16 | from[6] << 8 | from[7];

	memset(tcp, 0, 20);
	memcpy(tcp, from + 2, 2);
	memcpy(tcp + 2, from, 2);
	tcp[12] = 5 << 4;
	tcp[13] = RST;
	if (from[13] & ACK) {
		memcpy(tcp + 4, from + 8, 4);
		return 20;
	}
	tcp[13] |= ACK;
	seq += length - (from[12] >> 4) * 4 + !!(from[13] & SYN) + !!(from[13] & FIN);
	put16(tcp + 8, seq >> 16);
	put16(tcp + 10, seq);
	return 20;
}

/*
 * Writes an ICMP error: for UDP "port unreachable"; for other protocols "protocol unreachable"
 * over IPv4 and "administratively prohibited" over IPv6. Returns its length.
 */
static inline __u32 make_error(const struct question *question, __u8 *icmp)
{
	bool port = question->protocol == 17;
	__u32 header = question->transport - question->ip;
	__u32 quoted = question->ipv4 ? header + 8 : 48;

	memset(icmp, 0, 8);
	icmp[0] = question->ipv4 ? 3 : 1;
	icmp[1] = question->ipv4 ? (port ? 3 : 2) : (port ? 4 : 1);
	memcpy(icmp + 8, question->ip, quoted);
	return 8 + quoted;
}

static inline void finish_ipv4(const struct question *question, __u8 *ip, __u32 size,
			       bool reset)
{
	__u8 *check = ip + 20 + (reset ? 16 : 2);
	__u32 sum;

	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, 20 + size);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = reset ? 6 : 1;
	memcpy(ip + 12, question->ip + 16, 4);
	memcpy(ip + 16, question->ip + 12, 4);
	put16(ip + 10, checksum(ip, 20, 0));
	sum = reset ? pseudo(ip + 12, 8, 6, size) : 0;
	put16(check, checksum(ip + 20, size, sum));
}

static inline void finish_ipv6(const struct question *question, __u8 *ip, __u32 size,
			       bool reset)
{
	__u8 *check = ip + 40 + (reset ? 16 : 2);

	memset(ip, 0, 40);
	ip[0] = 0x60;
	put16(ip + 4, size);
	ip[6] = reset ? 6 : 58;
	ip[7] = 64;
	memcpy(ip + 8, question->ip + 24, 16);
	memcpy(ip + 24, question->ip + 8, 16);
	put16(check, checksum(ip + 40, size, pseudo(ip + 8, 32, ip[6], size)));
}

/* Writes the whole answer to a frame. Returns its length. */
static inline __u32 make_answer(const __u8 *frame, const struct question *question,
				__u8 *answer)
{
	bool reset = question->protocol == 6;
	__u32 header = question->ipv4 ? 20 : 40, size;
	__u8 *ip = answer + question->link;

	memcpy(answer, frame + 6, 6);
	memcpy(answer + 6, frame, 6);
	memcpy(answer + 12, frame + 12, question->link - 12);
	size = reset ? make_reset(question, ip + header) : make_error(question, ip + header);
	if (question->ipv4)
		finish_ipv4(question, ip, size, reset);
	else
		finish_ipv6(question, ip, size, reset);
	return question->link + header + size;
}

#endif
