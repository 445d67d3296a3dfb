/* SPDX-License-Identifier: GPL-2.0-only */
/* A filter that remembers what goes out, and what is sent out through it. */
#ifndef GATE_H
#define GATE_H

#include "charged.h"
#include "packet_case.h"

/* A filter, and its flow table's memory. */
struct gate {
	struct filter filter;
	struct flow_set *sets;
	__u64 *ends; /* of FLOW_ENDS times so many of them */
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

static inline struct flow *place(const struct gate *gate, size_t i)
{
	return &gate->sets[i / FLOW_WAYS].flows[i % FLOW_WAYS];
}

static inline size_t count_flows(const struct gate *gate)
{
	size_t count = 0;

	for (size_t i = 0; i < PLACES; i++)
		count += place(gate, i)->until != 0;
	return count;
}

static inline __u64 count_refused(const struct gate *gate)
{
	__u64 count = 0;

	for (size_t i = 0; i < FLOW_SETS; i++)
		count += gate->sets[i].refused;
	return count;
}

/* As if all that was remembered had gone out so many seconds earlier. */
static inline void age_flows(const struct gate *gate, unsigned int seconds)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (place(gate, i)->until)
			place(gate, i)->until -= (__u64)seconds * ticks_per_second();
	}
	for (size_t i = 0; i < FLOW_ENDS; i++) {
		if (gate->ends[i])
			gate->ends[i] -= (__u64)seconds * ticks_per_second();
	}
}

/* What goes out to whom the built frames come from. */
struct question {
	__u8 family;
	__u8 protocol;
	__u16 remote_port;
	__u16 local_port;
};

static inline void turn_around(struct frame *frame, __u8 family)
{
	size_t size = family == 4 ? 4 : 16;
	__u8 *source = frame->bytes + ETHERNET_HEADER + (family == 4 ? 12 : 8);
	__u8 address[16];

	memcpy(address, source, size);
	memcpy(source, source + size, size);
	memcpy(source + size, address, size);
}

static inline void build_question(struct frame *frame, const struct question *question)
{
	struct layer layers[LAYERS_MAX] = { IP4(), NEXT(question->protocol), DATA(20) };

	if (question->family == 6)
		layers[0] = (struct layer)IP6();
	if (question->protocol == 6)
		layers[1] = (struct layer)TCP(question->remote_port,
					      .from = question->local_port, .flags = SET(0x10));
	else if (question->protocol == 17)
		layers[1] =
			(struct layer)UDP(question->remote_port, .from = question->local_port);
	else if (question->protocol == 1)
		layers[1] = (struct layer)ICMP4(8);
	else if (question->protocol == 58)
		layers[1] = (struct layer)ICMP6(128);
	build(frame, layers);
	turn_around(frame, question->family);
}

/* What came in by another device, or is this host's own. */
enum origin { OWN, FORWARDED };

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
		tap_wrong("the verdict on the way out was %d", (int)opts.retval);
}

static inline void ask(const struct gate *gate, __u8 family, __u8 protocol, __u16 remote_port,
		       __u16 local_port)
{
	const struct question question = { family, protocol, remote_port, local_port };
	struct frame frame;

	build_question(&frame, &question);
	send_out(gate, &frame, FORWARDED);
}

/* An echo request with this identifier; its two bytes are where ICMPv6 has them, too. */
static inline void ask_with_id(const struct gate *gate, __u8 family, __u16 id)
{
	const struct question question = { family, family == 4 ? 1 : 58, 0, 0 };
	struct frame frame;

	build_question(&frame, &question);
	put16(frame.bytes + ETHERNET_HEADER + (family == 4 ? 20 : 40) + 4, id);
	send_out(gate, &frame, FORWARDED);
}

#define ACK 0x10
#define SYN_ACK 0x12
#define SYN 0x02
#define RST 0x04
#define FIN 0x01

#endif
