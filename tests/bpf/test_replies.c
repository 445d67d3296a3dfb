// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replies: packets let in because of a flow that the egress program remembered, or because of a
 * TCP socket of this host. The requests really go through the egress program.
 */
#include <arpa/inet.h>

#include "gate.h"
#include "../sandbox.h"

/* A flow, and a packet that is its reply or not. Tested over IPv4 and over IPv6. */
static const struct {
	const char *name;
	struct layer layer;
	__u8 protocol; /* of the flow */
	__u16 remote_port;
	__u16 local_port;
	unsigned int age; /* seconds since the flow's last packet went out */
	bool reply;
	__u32 key;
} flows[] = {
	{ "UDP after 1 s", UDP(5000), 17, 40000, 5000, 1, true, U(5000) },
	{ "UDP after 179 s", UDP(5000), 17, 40000, 5000, 179, true, U(5000) },
	{ "UDP after 181 s", UDP(5000), 17, 40000, 5000, 181, false, U(5000) },
	{ "UDP to another port", UDP(5001), 17, 40000, 5000, 0, false, U(5001) },
	{ "UDP from another port", UDP(5000, .from = 1), 17, 40000, 5000, 0, false, U(5000) },
	{ "TCP for a UDP flow", TCP(5000, .flags = SET(ACK)), 17, 40000, 5000, 0, false,
	  T(5000) },
	{ "UDP for a TCP flow", UDP(5000), 6, 40000, 5000, 0, false, U(5000) },
	{ "TCP ACK", TCP(5000, .flags = SET(ACK)), 6, 40000, 5000, 1, true, T(5000) },
	{ "TCP SYN ACK", TCP(5000, .flags = SET(SYN_ACK)), 6, 40000, 5000, 0, true, T(5000) },
	{ "TCP RST", TCP(5000, .flags = SET(RST)), 6, 40000, 5000, 0, true, T(5000) },
	{ "TCP FIN", TCP(5000, .flags = SET(FIN)), 6, 40000, 5000, 0, true, T(5000) },
	{ "TCP SYN", TCP(5000), 6, 40000, 5000, 0, false, T(5000) },
	{ "TCP without flags", TCP(5000, .flags = SET(0)), 6, 40000, 5000, 0, false, T(5000) },
	{ "TCP ACK after 7439 s", TCP(5000, .flags = SET(ACK)), 6, 40000, 5000, 7439, true,
	  T(5000) },
	{ "TCP ACK after 7441 s", TCP(5000, .flags = SET(ACK)), 6, 40000, 5000, 7441, false,
	  T(5000) },
	{ "GRE", NEXT(47), 47, 0, 0, 1, true, NO_PORT },
};

static void check_flow(struct gate *gate, size_t i, __u8 family)
{
	struct layer layers[LAYERS_MAX] = { IP4(), flows[i].layer, DATA(20) };
	const char *line = flows[i].reply ? "reply" : "default";
	enum verdict verdict = flows[i].reply ? PASS : DROP;
	struct frame frame;

	if (family == 6)
		layers[0] = (struct layer)IP6();
	memset(gate->sets, 0, TABLE_SIZE);
	send_request(gate, family, flows[i].protocol, flows[i].remote_port,
		     flows[i].local_port);
	age_flows(gate, flows[i].age);
	build(&frame, layers);
	expect(&gate->filter, &frame, verdict, line, flows[i].key);
	tap_end("reply: %s over IPv%u %s", flows[i].name, family,
		flows[i].reply ? "passes" : "drops");
	add_tag_to_frame(&frame, 0x8100);
	expect(&gate->filter, &frame, verdict, line, flows[i].key);
	if (count_flows(gate) != 1)
		tap_wrong("%zu flows", count_flows(gate));
	tap_end("reply: %s over IPv%u, tagged, %s", flows[i].name, family,
		flows[i].reply ? "passes" : "drops");
}

static void test_flows(void)
{
	struct gate gate;

	gate_load(&gate, "default drop");
	for (size_t i = 0; i < ARRAY_SIZE(flows) * 2; i++)
		check_flow(&gate, i / 2, i % 2 ? 6 : 4);
	gate_close(&gate);
}

/* Each packet that goes out prolongs its flow. */
static void test_prolonged_flow(void)
{
	struct gate gate;
	struct frame frame;

	gate_load(&gate, "default drop");
	BUILD(&frame, IP4(), UDP(5000));
	for (int i = 0; i < 3; i++) {
		send_request(&gate, 4, 17, 40000, 5000);
		age_flows(&gate, FLOW_LIFE_UDP - 1);
		expect(&gate.filter, &frame, PASS, "reply", U(5000));
	}
	age_flows(&gate, 2);
	expect(&gate.filter, &frame, DROP, "default", U(5000));
	send_request(&gate, 4, 17, 40000, 5000);
	expect(&gate.filter, &frame, PASS, "reply", U(5000));
	if (count_flows(&gate) != 1)
		tap_wrong("%zu flows", count_flows(&gate));
	tap_end("reply: each packet out prolongs its flow, and begins an expired one again");
	gate_close(&gate);
}

/* An echo reply must have the identifier of a request. */
static void test_echo_replies(void)
{
	struct gate gate;
	struct frame frame;

	gate_load(&gate, "default drop");
	send_request(&gate, 4, 1, 0, 0);
	send_request(&gate, 6, 58, 0, 0);
	BUILD(&frame, IP4(), ICMP4(0), DATA(56));
	expect(&gate.filter, &frame, PASS, "reply", NO_PORT);
	frame.bytes[ETHERNET_HEADER + 20 + 5]++;
	expect(&gate.filter, &frame, DROP, "default", NO_PORT);
	BUILD(&frame, IP4(), ICMP4(13), DATA(56));
	expect(&gate.filter, &frame, DROP, "default", NO_PORT);
	tap_end("reply: an ICMP echo reply passes only with a request's identifier");
	BUILD(&frame, IP6(), ICMP6(129), DATA(56));
	expect(&gate.filter, &frame, PASS, "reply", NO_PORT);
	frame.bytes[ETHERNET_HEADER + 40 + 5]++;
	expect(&gate.filter, &frame, DROP, "default", NO_PORT);
	tap_end("reply: an ICMPv6 echo reply passes only with a request's identifier");
	BUILD(&frame, IP6(), OPTIONS(8), ICMP6(129));
	expect(&gate.filter, &frame, PASS, "reply", NO_PORT);
	BUILD(&frame, IP6(), FRAGMENT6(MF6), ICMP6(129), DATA(1000));
	expect(&gate.filter, &frame, PASS, "reply", NO_PORT);
	tap_end("reply: an ICMPv6 echo reply behind extension headers passes");
	gate_close(&gate);
}

/* ICMP messages without an identifier are no replies to an echo request with identifier 0. */
static void test_other_icmp(void)
{
	struct gate gate;
	struct frame frame;

	gate_load(&gate, "default drop");
	send_echo_request(&gate, 4, 0);
	send_echo_request(&gate, 6, 0);
	BUILD(&frame, IP4(), ICMP4(13), DATA(56));
	expect(&gate.filter, &frame, DROP, "default", NO_PORT);
	BUILD(&frame, IP6(), ICMP6(138), DATA(56));
	memset(frame.bytes + ETHERNET_HEADER + 40 + 4, 0, 2);
	expect(&gate.filter, &frame, DROP, "default", NO_PORT);
	tap_end("reply: other ICMP messages are no replies to an identifier of 0");
	gate_close(&gate);
}

/* The payload is too short to hold ports. */
static void test_short_reply(void)
{
	struct gate gate;
	struct frame frame;

	gate_load(&gate, "default drop");
	send_request(&gate, 6, 47, 0, 0);
	BUILD(&frame, IP6(), NEXT(47), DATA(4));
	expect(&gate.filter, &frame, PASS, "reply", NO_PORT);
	BUILD(&frame, IP6(), OPTIONS(8), NEXT(47), DATA(4));
	expect(&gate.filter, &frame, PASS, "reply", NO_PORT);
	tap_end("reply: a packet too short for ports, behind an extension header, passes");
	gate_close(&gate);
}

/* Replies and flows concern only packets that the default decides about. */
static void test_reply_and_rules(void)
{
	struct gate gate;
	struct frame frame;

	gate_load(&gate, "default reject\ndrop 5000\nallow 5001\ndrop 5002 from 10.0.0.0/8\n"
			 "drop from 11.0.0.0/8");
	for (__u16 port = 5000; port <= 5003; port++)
		send_request(&gate, 4, 17, 40000, port);
	BUILD(&frame, IP4(), UDP(5000));
	expect(&gate.filter, &frame, DROP, "#1", U(5000));
	BUILD(&frame, IP4(), UDP(5001));
	expect(&gate.filter, &frame, PASS, "#2", U(5001));
	BUILD(&frame, IP4(), UDP(5002));
	expect(&gate.filter, &frame, PASS, "reply", U(5002));
	BUILD(&frame, IP4(), UDP(5003));
	expect(&gate.filter, &frame, PASS, "reply", U(5003));
	if (count_flows(&gate) != 2)
		tap_wrong("%zu flows", count_flows(&gate));
	tap_end("reply: rules decide before replies, and replies before the default");
	gate_close(&gate);
	gate_load(&gate, "default allow");
	send_request(&gate, 4, 17, 40000, 5000);
	if (count_flows(&gate))
		tap_wrong("%zu flows", count_flows(&gate));
	tap_end("reply: under default allow no flow is remembered");
	gate_close(&gate);
}

/* Counts the cached results of socket look-ups. */
static size_t count_sockets(const struct gate *gate)
{
	int map = bpf_map__fd(gate->filter.program->maps.sockets);
	size_t count = 0;

	for (__u32 i = 0; i < FLOW_SETS; i++) {
		struct flow known = { 0 };

		if (bpf_map_lookup_elem(map, &i, &known))
			tap_bail("cannot read the known sockets");
		count += known.until != 0;
	}
	return count;
}

/* Incoming packets never make an entry in a table. */
static void test_nothing_from_outside(void)
{
	static const struct layer layers[] = {
		TCP(5000),
		TCP(5000, .flags = SET(ACK)),
		TCP(5000, .flags = SET(SYN_ACK)),
		TCP(5000, .flags = SET(RST)),
		UDP(5000),
		ICMP4(0),
		ICMP4(8),
	};
	struct gate gate;
	struct frame frame;

	gate_load(&gate, "default drop");
	for (size_t i = 0; i < ARRAY_SIZE(layers) * 1000; i++) {
		const struct layer all[LAYERS_MAX] = { IP4(), layers[i / 1000] };
		__u32 verdict;

		build(&frame, all);
		put16(frame.bytes + ETHERNET_HEADER + 14, i);
		filter_run(&gate.filter, &frame, 1, &verdict);
	}
	if (count_flows(&gate) || count_refused(&gate) || count_sockets(&gate))
		tap_wrong("%zu flows, %zu sockets", count_flows(&gate), count_sockets(&gate));
	tap_end("reply: no packet from outside makes an entry");
	gate_close(&gate);
}

#define MANY 65536

/* Sends request number n. No two have the same pair of ports. */
static void send_nth_request(const struct gate *gate, unsigned int n)
{
	send_request(gate, n & 1 ? 6 : 4, 17, 1 + n / 256, 1 + n % 256);
}

/* Whether the reply to request number n passes. */
static bool nth_reply_passes(const struct gate *gate, unsigned int n)
{
	struct layer layers[LAYERS_MAX] = { IP4(), UDP(1 + n % 256, .from = 1 + n / 256) };
	struct frame frame;
	__u32 verdict;

	if (n & 1)
		layers[0] = (struct layer)IP6();
	build(&frame, layers);
	return !filter_run(&gate->filter, &frame, 1, &verdict) && verdict == PASS;
}

static unsigned int count_replies(const struct gate *gate, unsigned int many)
{
	unsigned int count = 0;

	for (unsigned int n = 0; n < many; n++)
		count += nth_reply_passes(gate, n);
	return count;
}

static void test_many_flows(void)
{
	struct gate gate;

	gate_load(&gate, "default drop");
	for (unsigned int n = 0; n < MANY; n++)
		send_nth_request(&gate, n);
	if (count_flows(&gate) != MANY || count_refused(&gate))
		tap_wrong("%zu flows, %llu refused", count_flows(&gate), count_refused(&gate));
	if (count_replies(&gate, MANY) != MANY)
		tap_wrong("%u replies passed", count_replies(&gate, MANY));
	if (nth_reply_passes(&gate, MANY))
		tap_wrong("a reply without a request passed");
	tap_end("reply: the table holds %u flows", MANY);
	gate_close(&gate);
}

/* A full table refuses and counts new flows and keeps the old; expired flows make room. */
static void test_full_table(void)
{
	struct gate gate;

	gate_load(&gate, "default drop");
	for (unsigned int n = 0; n < 100; n++)
		send_nth_request(&gate, n);
	for (size_t i = 0; i < PLACES; i++) {
		if (!flow_at(&gate, i)->until)
			flow_at(&gate, i)->until = ~0ull >> 1;
	}
	for (unsigned int n = 0; n < 200; n++)
		send_nth_request(&gate, n);
	if (count_refused(&gate) != 100)
		tap_wrong("%llu refused", count_refused(&gate));
	if (count_replies(&gate, 200) != 100)
		tap_wrong("%u replies passed", count_replies(&gate, 200));
	tap_end("reply: a full table refuses new flows, counts them and keeps the old");
	age_flows(&gate, FLOW_LIFE_UDP - 10);
	for (size_t i = 0; i < PLACES; i++) {
		if (flow_at(&gate, i)->until > ~0ull >> 2)
			flow_at(&gate, i)->until = 1;
	}
	for (unsigned int n = 100; n < 200; n++)
		send_nth_request(&gate, n);
	if (count_refused(&gate) != 100)
		tap_wrong("%llu refused", count_refused(&gate));
	if (count_replies(&gate, 200) != 200)
		tap_wrong("%u replies passed", count_replies(&gate, 200));
	tap_end("reply: expired flows make room for as many new ones");
	gate_close(&gate);
}

/* A segment between two ports of the loopback address. */
static void build_segment(struct frame *frame, int family, __u16 from, __u16 to, __u8 flags)
{
	if (family == AF_INET) {
		BUILD(frame, IP4(), TCP(to, .from = from, .flags = SET(flags)));
		memcpy(frame->bytes + ETHERNET_HEADER + 12, "\x7F\0\0\1\x7F\0\0\1", 8);
	} else {
		BUILD(frame, IP6(), TCP(to, .from = from, .flags = SET(flags)));
		memset(frame->bytes + ETHERNET_HEADER + 8, 0, 32);
		frame->bytes[ETHERNET_HEADER + 23] = 1;
		frame->bytes[ETHERNET_HEADER + 39] = 1;
	}
}

static __u16 port_of(int socket)
{
	struct sockaddr_in6 address;
	socklen_t size = sizeof(address);

	getsockname(socket, (struct sockaddr *)&address, &size);
	return ntohs(address.sin6_port); /* at the same offset as in sockaddr_in */
}

/* Listens on the loopback address and connects to it: a listener and a client. */
static void connect_to_self(int family, int sockets[2])
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F000001) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr *address = family == AF_INET ? (void *)&in : (void *)&in6;
	socklen_t size = family == AF_INET ? sizeof(in) : sizeof(in6);

	for (int i = 0; i < 2; i++)
		sockets[i] = socket(family, SOCK_STREAM, 0);
	if (bind(sockets[0], address, size) || listen(sockets[0], 1) ||
	    getsockname(sockets[0], address, &size) || connect(sockets[1], address, size))
		tap_bail("cannot connect: %s", strerror(errno));
}

/* Closes with a reset, so that no TIME-WAIT socket is left. */
static void close_at_once(int socket)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(socket);
}

static void test_sockets(int family)
{
	static const __u8 flags[] = { ACK, SYN_ACK, RST, FIN, ACK | FIN };
	__u16 client, server;
	struct filter filter;
	struct frame frame;
	int sockets[2];

	load_rules(&filter, "default drop");
	connect_to_self(family, sockets);
	server = port_of(sockets[0]);
	client = port_of(sockets[1]);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		build_segment(&frame, family, server, client, flags[i]);
		expect(&filter, &frame, PASS, "reply", T(client));
		build_segment(&frame, family, client, server, flags[i]);
		expect(&filter, &frame, PASS, "reply", T(server));
	}
	tap_end("reply: segments of a local connection pass, family %d", family);
	build_segment(&frame, family, client, server, 2);
	expect(&filter, &frame, DROP, "default", T(server));
	build_segment(&frame, family, client, server, 0);
	expect(&filter, &frame, DROP, "default", T(server));
	tap_end("reply: neither a SYN nor a segment without flags passes, family %d", family);
	build_segment(&frame, family, client ^ 1, server, ACK);
	expect(&filter, &frame, DROP, "default", T(server));
	tap_end("reply: a listener alone lets nothing in, family %d", family);
	close(sockets[1]);
	close(sockets[0]);
	filter_close(&filter);
}

/* A closed connection's replies pass for at most one second more. */
static void test_socket_that_ended(void)
{
	struct filter filter;
	struct frame frame;
	int sockets[2];
	__u16 client;

	load_rules(&filter, "default drop");
	connect_to_self(AF_INET, sockets);
	client = port_of(sockets[1]);
	build_segment(&frame, AF_INET, port_of(sockets[0]), client, ACK);
	expect(&filter, &frame, PASS, "reply", T(client));
	close_at_once(sockets[1]);
	close_at_once(sockets[0]);
	usleep(1100000);
	expect(&filter, &frame, DROP, "default", T(client));
	tap_end("reply: segments of a closed connection drop a second later");
	filter_close(&filter);
}

int main(void)
{
	pin_to_first_cpu();
	sandbox_enter();
	test_flows();
	test_prolonged_flow();
	test_echo_replies();
	test_other_icmp();
	test_short_reply();
	test_reply_and_rules();
	test_nothing_from_outside();
	test_many_flows();
	test_full_table();
	test_sockets(AF_INET);
	test_sockets(AF_INET6);
	test_socket_that_ended();
	return tap_done();
}
