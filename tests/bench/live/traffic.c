// SPDX-License-Identifier: GPL-2.0-only
/* Builds the frames of a workload, and sends them with the generator. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "generator.skel.h"
#include "live.h"

#define BATCH 64

static struct generator_bpf *generator;

void traffic_prepare(void)
{
	generator = generator_bpf__open_and_load();
	if (!generator) {
		perror("cannot load the generator");
		exit(1);
	}
}

/* The sum over an IPv4 header without its checksum and source. */
static __u32 sum_header(const struct iphdr *ip)
{
	struct iphdr copy = *ip;
	const __u16 *words = (const __u16 *)&copy;
	__u32 sum = 0;

	copy.check = 0;
	copy.saddr = 0;
	for (size_t i = 0; i < sizeof(copy) / 2; i++)
		sum += words[i];
	return sum;
}

void set_header_sum(struct iphdr *ip)
{
	__u32 sum = sum_header(ip) + (ip->saddr & 0xffff) + (ip->saddr >> 16);

	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~((sum & 0xffff) + (sum >> 16));
}

static void address_ipv4(struct frame *frame, unsigned int sources)
{
	struct iphdr *ip = (void *)(frame->data + sizeof(struct ether_header));

	ip->ttl = 64;
	/* A source from the middle, for test runs, which do not vary it. */
	ip->saddr = sources ? htonl((10u << 24) + 1 + sources / 2) : inet_addr("192.0.2.2");
	ip->daddr = inet_addr("192.0.2.1");
	set_header_sum(ip);
	generator->bss->header_sum = sum_header(ip);
}

static void address_ipv6(struct frame *frame)
{
	frame->data[21] = 64; /* hop limit */
	inet_pton(AF_INET6, "2001:db8::2", frame->data + 22);
	inet_pton(AF_INET6, "2001:db8::1", frame->data + 38);
}

static void add_tag(struct frame *frame)
{
	static const __u8 tag[] = { 0x81, 0x00, 0x00, 0x2a };

	memmove(frame->data + 16, frame->data + 12, frame->size - 12);
	memcpy(frame->data + 12, tag, sizeof(tag));
	frame->size += sizeof(tag);
}

static void set_generator(const struct workload *workload, const struct frame *frame)
{
	memcpy(generator->bss->head, frame->data, sizeof(generator->bss->head));
	generator->bss->tagged = workload->vlan;
	generator->data->seed = 2463534242u;
	generator->bss->l4_offset = 14 + (workload->ipv6 ? 40 : 20) + (workload->vlan ? 4 : 0);
	generator->bss->ports = workload->ports;
	generator->bss->sources = workload->sources;
}

struct frame make_frame(const struct workload *workload)
{
	static const __u8 ends[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	/* A port with a rule, for test runs, which do not vary it. */
	unsigned int port = workload->rules && workload->rules < PORT ? workload->rules : PORT;
	struct frame frame =
		workload->signature ? build_bogus() : build(workload->ipv6, IPPROTO_UDP, port);

	memcpy(frame.data, ends, sizeof(ends));
	if (workload->ipv6)
		address_ipv6(&frame);
	else
		address_ipv4(&frame, workload->sources);
	if (workload->vlan)
		add_tag(&frame);
	set_generator(workload, &frame);
	return frame;
}

double send_frames(const struct candidate *candidate, const struct frame *frame,
		   unsigned int count)
{
	struct xdp_md context = { .data_end = frame->size,
				  .ingress_ifindex = candidate->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data,
		    .data_size_in = frame->size, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = count, .batch_size = BATCH,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (bpf_prog_test_run_opts(bpf_program__fd(generator->progs.generate), &opts)) {
		perror("cannot send live frames");
		exit(1);
	}
	/* The kernel rounds the time of one run down to whole nanoseconds. */
	return (opts.duration + 0.5) * 1e-9 * count;
}
