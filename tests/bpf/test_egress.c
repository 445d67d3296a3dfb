// SPDX-License-Identifier: GPL-2.0-only
/* The egress program: which packets begin a flow, which prolong one, and which do neither. */
#include "gate.h"
#include "../sandbox.h"

/*
 * TCP segments that no socket sent, and how many flows each begins. Those that the kernel sends
 * without a socket, or through its control socket, begin none: SYN cookies, and the last
 * acknowledgement of a connection.
 */
static const struct {
	const char *name;
	enum origin origin;
	__u8 flags;
	size_t flows;
} segments[] = {
	{ "an ACK of this host", OWN, ACK, 0 },
	{ "a SYN ACK of this host", OWN, SYN_ACK, 0 },
	{ "a forwarded RST", FORWARDED, RST, 0 },
	{ "a SYN of this host", OWN, SYN, 1 },
	{ "a forwarded ACK", FORWARDED, ACK, 1 },
	{ "a forwarded SYN ACK", FORWARDED, SYN_ACK, 1 },
};

static void check_segment(struct gate *gate, size_t i, __u8 family)
{
	const struct request request = { family, 6, 40000, 5000 };
	struct frame frame;

	memset(gate->sets, 0, TABLE_SIZE);
	build_request(&frame, &request);
	frame.bytes[ETHERNET_HEADER + (family == 4 ? 20 : 40) + 13] = segments[i].flags;
	send_out(gate, &frame, segments[i].origin);
	if (count_flows(gate) != segments[i].flows)
		tap_wrong("%zu flows", count_flows(gate));
	tap_end("egress: %s over IPv%u begins %s flow", segments[i].name, family,
		segments[i].flows ? "a" : "no");
}

static void test_segments(void)
{
	struct gate gate;
	struct frame frame;
	const struct request request = { 4, 6, 40000, 5000 };

	gate_load(&gate, "default drop");
	for (size_t i = 0; i < ARRAY_SIZE(segments) * 2; i++)
		check_segment(&gate, i / 2, i % 2 ? 6 : 4);
	memset(gate.sets, 0, TABLE_SIZE);
	send_request(&gate, 4, 6, 40000, 5000);
	age_flows(&gate, FLOW_LIFE_TCP - 1);
	build_request(&frame, &request);
	send_out(&gate, &frame, OWN);
	age_flows(&gate, 2);
	BUILD(&frame, IP4(), TCP(5000, .flags = SET(ACK)));
	expect(&gate.filter, &frame, PASS, "reply", T(5000));
	tap_end("egress: a segment that begins no flow prolongs an existing one");
	gate_close(&gate);
}

/* A VLAN device on a VLAN device leaves the inner tag, or both, in the frame. */
static void test_tags(void)
{
	const struct request request = { 6, 17, 40000, 5000 };
	struct frame frame, reply;
	struct gate gate;

	gate_load(&gate, "default drop");
	build_request(&frame, &request);
	BUILD(&reply, IP6(), UDP(5000));
	for (int tags = 1; tags <= 3; tags++) {
		memset(gate.sets, 0, TABLE_SIZE);
		add_tag_to_frame(&frame, tags == 1 ? 0x8100 : 0x88a8);
		send_out(&gate, &frame, OWN);
		expect(&gate.filter, &reply, tags < 3 ? PASS : DROP,
		       tags < 3 ? "reply" : "default", U(5000));
		tap_end("egress: a frame with %d tags begins %s flow", tags,
			tags < 3 ? "a" : "no");
	}
	gate_close(&gate);
}

int main(void)
{
	pin_to_first_cpu();
	sandbox_enter();
	test_segments();
	test_tags();
	return tap_done();
}
