/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of replies: a filter with its flow table, and packets sent out through the egress
 * program, which remembers their flows. Time passes by making flows older.
 */
#ifndef GATE_H
#define GATE_H

#include "charged.h"
#include "portctl/flow.h"
#include "packet_case.h"

/* A filter, and the memory of its flow table. */
struct gate {
	struct filter filter;
	struct flow_set *sets;
	__u64 *ends; /* FLOW_ENDS expiry times */
};

#define TABLE_SIZE (FLOW_SETS * sizeof(struct flow_set))
#define ENDS_SIZE (FLOW_ENDS * sizeof(__u64))
#define PLACES (FLOW_SETS * FLOW_WAYS)

static inline void gate_load(struct gate *gate, const char *rules)
{
	load_rules(&gate->filter, rules);
	gate->sets = map_memory(gate->filter.program->maps.flows, TABLE_SIZE);
	gate->ends = map_memory(gate->filter.program->maps.flow_ends, ENDS_SIZE);
}

static inline void gate_close(struct gate *gate)
{
	munmap(gate->sets, TABLE_SIZE);
	munmap(gate->ends, ENDS_SIZE);
	filter_close(&gate->filter);
}

/* The i-th entry of the flow table. */
static inline struct flow *flow_at(const struct gate *gate, size_t i)
{
	return &gate->sets[i / FLOW_WAYS].flows[i % FLOW_WAYS];
}

static inline size_t count_flows(const struct gate *gate)
{
	size_t count = 0;

	for (size_t i = 0; i < PLACES; i++)
		count += flow_at(gate, i)->until != 0;
	return count;
}

/* Flows that the table had no room for. */
static inline __u64 count_refused(const struct gate *gate)
{
	__u64 count = 0;

	for (size_t i = 0; i < FLOW_SETS; i++)
		count += gate->sets[i].refused;
	return count;
}

/* Makes all flows older by this many seconds. */
static inline void age_flows(const struct gate *gate, unsigned int seconds)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (flow_at(gate, i)->until)
			flow_at(gate, i)->until -= (__u64)seconds * ticks_per_second();
	}
	for (size_t i = 0; i < FLOW_ENDS; i++) {
		if (gate->ends[i])
			gate->ends[i] -= (__u64)seconds * ticks_per_second();
	}
}

/* A packet that goes out, to the address from which build() makes frames come. */
struct request {
	__u8 family; /* 4 or 6 */
	__u8 protocol;
	__u16 remote_port;
	__u16 local_port;
};

static inline void swap_addresses(struct frame *frame, __u8 family)
{
	size_t size = family == 4 ? 4 : 16;
	__u8 *source = frame->bytes + ETHERNET_HEADER + (family == 4 ? 12 : 8);
	__u8 address[16];

	memcpy(address, source, size);
	memcpy(source, source + size, size);
	memcpy(source + size, address, size);
}

static inline void build_request(struct frame *frame, const struct request *request)
{
	struct layer layers[LAYERS_MAX] = { IP4(), NEXT(request->protocol), DATA(20) };

	if (request->family == 6)
		layers[0] = (struct layer)IP6();
	if (request->protocol == 6)
		layers[1] = (struct layer)TCP(request->remote_port, .from = request->local_port,
					      .flags = SET(ACK));
	else if (request->protocol == 17)
		layers[1] =
			(struct layer)UDP(request->remote_port, .from = request->local_port);
	else if (request->protocol == 1)
		layers[1] = (struct layer)ICMP4(8);
	else if (request->protocol == 58)
		layers[1] = (struct layer)ICMP6(128);
	build(frame, layers);
	swap_addresses(frame, request->family);
}

/* Whether this host made a packet, or it came in by another device. */
enum origin { OWN, FORWARDED };

/* Runs a frame through the egress program. */
static inline void send_out(const struct gate *gate, const struct frame *frame,
			    enum origin origin)
{
	int program = bpf_program__fd(gate->filter.program->progs.egress);
	struct __sk_buff context = { .ingress_ifindex = origin == FORWARDED };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes,
		    .data_size_in = frame->length, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1);

	if (bpf_prog_test_run_opts(program, &opts))
		tap_bail("a frame could not be sent: %s", strerror(errno));
	if ((int)opts.retval != -1)
		tap_wrong("the egress program returned %d, not TC_ACT_UNSPEC",
			  (int)opts.retval);
}

static inline void send_request(const struct gate *gate, __u8 family, __u8 protocol,
				__u16 remote_port, __u16 local_port)
{
	const struct request request = { family, protocol, remote_port, local_port };
	struct frame frame;

	build_request(&frame, &request);
	send_out(gate, &frame, FORWARDED);
}

static inline void send_echo_request(const struct gate *gate, __u8 family, __u16 id)
{
	const struct request request = { family, family == 4 ? 1 : 58, 0, 0 };
	struct frame frame;

	build_request(&frame, &request);
	put16(frame.bytes + ETHERNET_HEADER + (family == 4 ? 20 : 40) + 4, id);
	send_out(gate, &frame, FORWARDED);
}

#endif
