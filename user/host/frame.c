// SPDX-License-Identifier: GPL-2.0-only
#include "host/frame.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

/* The payload, in bytes, of protocols other than TCP and UDP. */
#define OTHER_SIZE 8

static size_t build_tcp(const struct packet *packet, __u8 *at)
{
	struct tcphdr tcp = {
		.source = htons(packet->source_port),
		.dest = htons(packet->port),
		.doff = sizeof(tcp) / 4,
		.window = htons(65535),
	};

	tcp.th_flags = packet->flags;
	memcpy(at, &tcp, sizeof(tcp));
	return sizeof(tcp);
}

static size_t build_udp(const struct packet *packet, __u8 *at)
{
	struct udphdr udp = {
		.source = htons(packet->source_port),
		.dest = htons(packet->port),
		.len = htons(sizeof(udp)),
	};

	memcpy(at, &udp, sizeof(udp));
	return sizeof(udp);
}

/* Writes the header that the data path looks into: TCP, UDP, or an ICMP echo request. */
static size_t build_transport(const struct packet *packet, __u8 *at)
{
	memset(at, 0, OTHER_SIZE);
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return build_tcp(packet, at);
	case IPPROTO_UDP:
		return build_udp(packet, at);
	case IPPROTO_ICMP:
		*at = ICMP_ECHO;
		break;
	case IPPROTO_ICMPV6:
		*at = ICMP6_ECHO_REQUEST;
	}
	return OTHER_SIZE;
}

static size_t build_ipv4(const struct packet *packet, __u8 *at)
{
	size_t size = build_transport(packet, at + sizeof(struct iphdr));
	struct iphdr ip = {
		.version = 4,
		.ihl = sizeof(ip) / 4,
		.tot_len = htons(sizeof(ip) + size),
		.ttl = 64,
		.protocol = packet->protocol,
	};

	memcpy(&ip.saddr, packet->source.address, sizeof(ip.saddr));
	memcpy(&ip.daddr, packet->destination.address, sizeof(ip.daddr));
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip) + size;
}

static size_t build_ipv6(const struct packet *packet, __u8 *at)
{
	size_t size = build_transport(packet, at + sizeof(struct ip6_hdr));
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6 << 28),
		.ip6_plen = htons(size),
		.ip6_nxt = packet->protocol,
		.ip6_hlim = 64,
	};

	memcpy(&ip.ip6_src, packet->source.address, sizeof(ip.ip6_src));
	memcpy(&ip.ip6_dst, packet->destination.address, sizeof(ip.ip6_dst));
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip) + size;
}

size_t frame_build(const struct packet *packet, __u8 frame[FRAME_SIZE])
{
	bool ipv6 = packet->source.family == 6;
	struct ether_header ethernet = {
		.ether_type = htons(ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP),
	};

	memcpy(frame, &ethernet, sizeof(ethernet));
	frame += sizeof(ethernet);
	return sizeof(ethernet) +
	       (ipv6 ? build_ipv6(packet, frame) : build_ipv4(packet, frame));
}
