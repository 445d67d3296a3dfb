// SPDX-License-Identifier: GPL-2.0-only
/* Builds frames, and measures what a program takes for one. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "base/clock.h"
#include "kernel/datapath.h"
#include "rules/ruleset.h"
#include "rules/signing.h"

struct frame build(bool ipv6, int protocol, __u16 port)
{
	struct frame frame = { .size = sizeof(struct ether_header) };
	struct ether_header *eth = (void *)frame.data;
	size_t l4 = protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	struct ip6_hdr *ip6 = (void *)(frame.data + frame.size);
	struct iphdr *ip = (void *)ip6;
	struct tcphdr *tcp;
	struct udphdr *udp;

	eth->ether_type = htons(ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	if (ipv6) {
		ip6->ip6_vfc = 0x60;
		ip6->ip6_plen = htons(l4);
		ip6->ip6_nxt = protocol;
		frame.size += sizeof(*ip6);
	} else {
		ip->version = 4;
		ip->ihl = 5;
		ip->tot_len = htons(sizeof(*ip) + l4);
		ip->protocol = protocol;
		frame.size += sizeof(*ip);
	}
	tcp = (void *)(frame.data + frame.size);
	udp = (void *)tcp;
	udp->dest = htons(port);
	if (protocol == IPPROTO_TCP) {
		tcp->doff = 5;
		tcp->syn = 1;
	} else {
		udp->len = htons(l4);
	}
	frame.size = frame.size + l4 < 60 ? 60 : frame.size + l4;
	return frame;
}

struct frame build_signed(__u64 time)
{
	struct frame frame = build(false, IPPROTO_UDP, 62201);
	struct iphdr *ip = (void *)(frame.data + sizeof(struct ether_header));
	struct udphdr *udp = (void *)(ip + 1);
	struct signed_knock *knock = (void *)(udp + 1);
	struct signing_key *keys;
	size_t count;

	if (keys_read("keys", &keys, &count))
		exit(1);
	udp->len = htons(sizeof(*udp) + sizeof(*knock));
	ip->tot_len = htons(sizeof(*ip) + sizeof(*udp) + sizeof(*knock));
	frame.size = sizeof(struct ether_header) + ntohs(ip->tot_len);
	*knock = (struct signed_knock){ .action = SIGNED_OPEN, .door = door_number("b") };
	sign(knock, keys, time);
	keys_free(keys, count);
	return frame;
}

void spoil_signature(struct frame *frame)
{
	frame->data[frame->size - 1] ^= 1; /* the last byte of the tag */
}

struct frame build_bogus(void)
{
	/* Almost as far ahead as the skew allows, so that it stays valid for the whole run. */
	struct frame frame = build_signed(utc_now() + (KNOCK_SKEW - 1) * 1000000000ull);

	spoil_signature(&frame);
	return frame;
}

static double cpu_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

double run_program(int program, struct frame *frame, unsigned int repeat, __u32 *verdict)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data,
		    .data_size_in = frame->size, .repeat = repeat);
	double start = cpu_now();

	if (bpf_prog_test_run_opts(program, &opts)) {
		perror("bpf_prog_test_run");
		exit(1);
	}
	if (verdict)
		*verdict = opts.retval;
	return (cpu_now() - start) / repeat * 1e9;
}
