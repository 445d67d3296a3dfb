// SPDX-License-Identifier: GPL-2.0-only
/* The way out: which packets begin a flow, let one go on, or do neither. */
#include "gate.h"
#include "../sandbox.h"

/*
 * Segments that no socket sends, one after the other, and the flows there are then. The
 * kernel's own, without a socket or by its control socket, begin none: SYN cookies, the last
 * acknowledgement of a connection.
 */
static const struct {
	const char *name;
	enum origin origin;
	__u8 flags;
	size_t flows;
} segments[] = {
	{ "an acknowledgement of this host", OWN, ACK, 0 },
	{ "the answer to a SYN", OWN, SYN_ACK, 0 },
	{ "a forwarded reset", FORWARDED, RST, 0 },
	{ "a SYN", OWN, SYN, 1 },
	{ "a forwarded acknowledgement", FORWARDED, ACK, 1 },
	{ "a forwarded answer to a SYN", FORWARDED, SYN_ACK, 1 },
};

static void check_segment(struct gate *gate, size_t i, __u8 family)
{
	const struct question question = { family, 6, 40000, 5000 };
	struct frame frame;

	memset(gate->sets, 0, TABLE_SIZE);
	build_question(&frame, &question);
	frame.bytes[ETHERNET_HEADER + (family == 4 ? 20 : 40) + 13] = segments[i].flags;
	send_out(gate, &frame, segments[i].origin);
	if (count_flows(gate) != segments[i].flows)
		tap_wrong("%zu flows", count_flows(gate));
	tap_end("reply: %s over IPv%u begins %s flow", segments[i].name, family,
		segments[i].flows ? "a" : "no");
}

static void test_beginnings(void)
{
	struct gate gate;
	struct frame frame;
	const struct question question = { 4, 6, 40000, 5000 };

	gate_load(&gate, "default drop");
	for (size_t i = 0; i < ARRAY_SIZE(segments) * 2; i++)
		check_segment(&gate, i / 2, i % 2 ? 6 : 4);
	memset(gate.sets, 0, TABLE_SIZE);
	ask(&gate, 4, 6, 40000, 5000);
	age_flows(&gate, FLOW_LIFE_TCP - 1);
	build_question(&frame, &question);
	send_out(&gate, &frame, OWN);
	age_flows(&gate, 2);
	BUILD(&frame, IP4(), TCP(5000, .flags = SET(ACK)));
	expect(&gate.filter, &frame, PASS, "reply", T(5000));
	tap_end("reply: what may not begin a flow lets one go on");
	gate_close(&gate);
}

/* A device for two tags leaves the inner one, or both, in the frame. */
static void test_tags_on_the_way_out(void)
{
	const struct question question = { 6, 17, 40000, 5000 };
	struct frame frame, reply;
	struct gate gate;

	gate_load(&gate, "default drop");
	build_question(&frame, &question);
	BUILD(&reply, IP6(), UDP(5000));
	for (int tags = 1; tags <= 3; tags++) {
		memset(gate.sets, 0, TABLE_SIZE);
		add_tag_to_frame(&frame, tags == 1 ? 0x8100 : 0x88a8);
		send_out(&gate, &frame, OWN);
		expect(&gate.filter, &reply, tags < 3 ? PASS : DROP,
		       tags < 3 ? "reply" : "default", U(5000));
		tap_end("reply: to what went out with %d tags in the frame", tags);
	}
	gate_close(&gate);
}

int main(void)
{
	pin_to_first_cpu();
	sandbox_enter();
	test_beginnings();
	test_tags_on_the_way_out();
	return tap_done();
}
