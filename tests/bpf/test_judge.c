// SPDX-License-Identifier: GPL-2.0-only
/*
 * What more than the port decides about a packet: its source, the time, limits,
 * lifelines, and whether it is a reply. Each with the line and the port counter.
 */
#include <arpa/inet.h>
#include <time.h>

#include "cases_judge.h"
#include "charged.h"
#include "../sandbox.h"

static const struct {
	const char *name;
	const struct packet_case *cases;
	size_t count;
} tables[] = {
	{ "sources", cases_sources, ARRAY_SIZE(cases_sources) },
	{ "without ports", cases_portless, ARRAY_SIZE(cases_portless) },
	{ "ends", cases_ends, ARRAY_SIZE(cases_ends) },
	{ "lifelines", cases_lifelines, ARRAY_SIZE(cases_lifelines) },
};

/* "#2" is the second rule, "#2 limited" what is over its limit. */
static __u32 expected_line(const struct filter *filter, const char *name, enum verdict verdict)
{
	char *end;
	size_t number;

	if (*name != '#')
		return builtin_line(name, verdict);
	number = strtoul(name + 1, &end, 10);
	if (!number || number > filter->ruleset.count)
		tap_bail("no rule %s in \"%s\"", name, filter->rules);
	return *end ? filter->ruleset.rules[number - 1].limited_line
		    : filter->ruleset.rules[number - 1].line;
}

static void expect(struct filter *filter, const struct frame *frame, enum verdict verdict,
		   const char *line, __u32 key)
{
	check_frame(filter, frame, verdict, expected_line(filter, line, verdict), key);
}

static void run_case(struct filter *filter, const char *table, const struct packet_case *packet)
{
	struct frame frame;

	filter_rules(filter, 0, packet->rules);
	build(&frame, packet->layers);
	expect(filter, &frame, packet->verdict, packet->line, packet->key);
	tap_end("%s: %s", table, packet->name);
	if (frame_type(&frame) != 0x0800 && frame_type(&frame) != 0x86DD)
		return;
	add_tag_to_frame(&frame, 0x8100);
	expect(filter, &frame, packet->verdict, packet->line, packet->key);
	tap_end("%s: %s, tagged", table, packet->name);
	add_tag_to_frame(&frame, 0x88A8);
	expect(filter, &frame, packet->verdict, packet->line, packet->key);
	tap_end("%s: %s, tagged twice", table, packet->name);
}

/* Counts start anew with each filter, and so do the buckets of limits. */
static void load(struct filter *filter, const char *rules)
{
	filter_load(filter, COPY_FIRST_CPU + cpu + 1);
	filter_generation(filter, 0);
	filter_rules(filter, 0, rules);
}

#define BUILD(frame, ...) build(frame, (const struct layer[LAYERS_MAX]){ __VA_ARGS__ })

/* `count` packets pass; the next are over the limit. */
static void expect_burst(struct filter *filter, const struct frame *frame, int count, __u32 key)
{
	for (int i = 0; i < count; i++)
		expect(filter, frame, VERDICT_PASS, "#1", key);
	expect(filter, frame, VERDICT_DROP, "#1 limited", key);
	expect(filter, frame, VERDICT_DROP, "#1 limited", key);
}

static void test_limit(void)
{
	struct filter filter;
	struct frame frame;

	load(&filter, "default drop\nallow 53 54/udp limit 10/h burst 5");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 5, U(53));
	tap_end("limit: a burst of 5 is let in, then nothing");
	BUILD(&frame, IP6(), UDP(54));
	expect(&filter, &frame, VERDICT_DROP, "#1 limited", U(54));
	tap_end("limit: all ports and sources of a rule share it");
	filter_close(&filter);
	load(&filter, "default drop\nallow 53 limit 10/h");
	BUILD(&frame, IP4(), TCP(53));
	expect_burst(&filter, &frame, 1, T(53));
	tap_end("limit: less than one a second has a burst of 1");
	filter_close(&filter);
	load(&filter, "default drop\nallow from 192.0.2.0/24 limit 10/h burst 2");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 2, U(53));
	tap_end("limit: of a rule without ports");
	filter_close(&filter);
}

static void sleep_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static __u64 boot_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* How many of the packets of half a second pass, sent as fast as can be. */
static __u64 passed_in(struct filter *filter, const struct frame *frame, __u64 nanoseconds)
{
	__u64 end = boot_time() + nanoseconds, passed = 0;
	__u32 verdict;

	while (boot_time() < end) {
		if (filter_run(filter, frame, 1, &verdict))
			tap_bail("a frame could not be run");
		passed += verdict == VERDICT_PASS;
	}
	return passed;
}

static void test_limit_rate(void)
{
	struct filter filter;
	struct frame frame;
	__u64 passed;

	load(&filter, "default drop\nallow 53 limit 100/s burst 10");
	BUILD(&frame, IP4(), UDP(53));
	passed = passed_in(&filter, &frame, 500000000);
	if (passed < 58 || passed > 61)
		tap_wrong("%llu packets", passed);
	tap_end("limit: 100/s lets in 50 in half a second, besides its burst");
	sleep_ms(300);
	passed = passed_in(&filter, &frame, 1000000);
	if (passed != 10)
		tap_wrong("%llu packets", passed);
	tap_end("limit: however long nothing comes, the burst is no larger");
	filter_close(&filter);
	load(&filter, "default drop");
	BUILD(&frame, IP4(), ICMP4(8));
	passed = passed_in(&filter, &frame, 500000000);
	if (passed < 1490 || passed > 1501)
		tap_wrong("%llu echo requests", passed);
	filter_changes(&filter, &(struct changes){ 0 });
	while (!filter_run(&filter, &frame, 1, &(__u32){ 0 }) &&
	       filter.counters[copy_of_cpu(&filter, cpu)].line[LINE_ECHO_LIMITED].packets == 0)
		;
	tap_end("echo: 1000 a second and 1000 at once, the others have their line");
	filter_close(&filter);
}

/* The address of an IPv4 frame's source ends here, of an IPv6 frame's /64 too. */
#define SOURCE4_END (ETHERNET_HEADER + 15)
#define SOURCE6_NET_END (ETHERNET_HEADER + 15)
#define SOURCE6_END (ETHERNET_HEADER + 23)

static void test_limit_per_source(void)
{
	struct filter filter;
	struct frame frame;

	load(&filter, "default drop\nallow 53 limit 10/h burst 3 per source");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 3, U(53));
	frame.bytes[SOURCE4_END]++;
	expect_burst(&filter, &frame, 3, U(53));
	frame.bytes[SOURCE4_END]--;
	expect(&filter, &frame, VERDICT_DROP, "#1 limited", U(53));
	tap_end("limit per source: each address of IPv4 has its own");
	BUILD(&frame, IP6(), UDP(53));
	expect_burst(&filter, &frame, 3, U(53));
	frame.bytes[SOURCE6_END]++;
	expect(&filter, &frame, VERDICT_DROP, "#1 limited", U(53));
	frame.bytes[SOURCE6_NET_END]++;
	expect_burst(&filter, &frame, 3, U(53));
	tap_end("limit per source: each /64 of IPv6 has its own");
	filter_close(&filter);
	load(&filter, "default drop\nallow 53 limit 10/h burst 3 per source\n"
		      "allow 54 limit 10/h burst 1 per source");
	BUILD(&frame, IP4(), UDP(53));
	expect_burst(&filter, &frame, 3, U(53));
	BUILD(&frame, IP4(), UDP(54));
	expect(&filter, &frame, VERDICT_PASS, "#2", U(54));
	tap_end("limit per source: each rule has its own");
	filter_close(&filter);
}

/* What went out from here to the packets' source, `age` nanoseconds ago. */
static struct flow_key add_flow(struct filter *filter, __u8 family, __u8 protocol,
				__u16 remote_port, __u16 local_port, __u64 age)
{
	int map = bpf_map__fd(filter->program->maps.flows);
	struct flow_key flow = {
		.remote_port = htons(remote_port),
		.local_port = htons(local_port),
		.protocol = protocol,
		.family = family,
	};
	__u64 time = boot_time() - age;

	inet_pton(family == 4 ? AF_INET : AF_INET6,
		  family == 4 ? "192.0.2.1" : "2001:db8::", flow.remote);
	inet_pton(family == 4 ? AF_INET : AF_INET6,
		  family == 4 ? "198.51.100.1" : "2001:db8::1", flow.local);
	if (bpf_map_update_elem(map, &flow, &time, BPF_ANY))
		tap_bail("cannot add a flow");
	return flow;
}

#define SECOND 1000000000ull
#define ACK 0x10
#define SYN_ACK 0x12
#define RST 0x04
#define FIN 0x01

/* One flow, and one packet that is its reply or not; IPv4, then IPv6. */
static const struct {
	const char *name;
	struct layer layer;
	__u8 protocol; /* of the flow; 1 is 58 over IPv6 */
	__u16 remote_port;
	__u16 local_port;
	__u64 age;
	bool reply;
	__u32 key;
} flows[] = {
	{ "UDP", UDP(5000), 17, 40000, 5000, SECOND, true, U(5000) },
	{ "UDP of 179 s ago", UDP(5000), 17, 40000, 5000, 179 * SECOND, true, U(5000) },
	{ "UDP of 181 s ago", UDP(5000), 17, 40000, 5000, 181 * SECOND, false, U(5000) },
	{ "UDP to another port", UDP(5001), 17, 40000, 5000, 0, false, U(5001) },
	{ "UDP from another port", UDP(5000, .from = 1), 17, 40000, 5000, 0, false, U(5000) },
	{ "TCP of a UDP flow", TCP(5000, .flags = SET(ACK)), 17, 40000, 5000, 0, false,
	  T(5000) },
	{ "UDP of a TCP flow", UDP(5000), 6, 40000, 5000, 0, false, U(5000) },
	{ "TCP", TCP(5000, .flags = SET(ACK)), 6, 40000, 5000, SECOND, true, T(5000) },
	{ "TCP SYN ACK", TCP(5000, .flags = SET(SYN_ACK)), 6, 40000, 5000, 0, true, T(5000) },
	{ "TCP RST", TCP(5000, .flags = SET(RST)), 6, 40000, 5000, 0, true, T(5000) },
	{ "TCP FIN", TCP(5000, .flags = SET(FIN)), 6, 40000, 5000, 0, true, T(5000) },
	{ "TCP SYN", TCP(5000), 6, 40000, 5000, 0, false, T(5000) },
	{ "TCP without flags", TCP(5000, .flags = SET(0)), 6, 40000, 5000, 0, false, T(5000) },
	{ "TCP of two hours ago", TCP(5000, .flags = SET(ACK)), 6, 40000, 5000, 7439 * SECOND,
	  true, T(5000) },
	{ "TCP of long ago", TCP(5000, .flags = SET(ACK)), 6, 40000, 5000, 7441 * SECOND, false,
	  T(5000) },
	{ "GRE", NEXT(47), 47, 0, 0, SECOND, true, NO_PORT },
};

static void check_flow(struct filter *filter, size_t i, __u8 family)
{
	struct layer layers[LAYERS_MAX] = { IP4(), flows[i].layer };
	struct flow_key flow;
	struct frame frame;

	if (family == 6)
		layers[0] = (struct layer)IP6();
	flow = add_flow(filter, family, flows[i].protocol, flows[i].remote_port,
			flows[i].local_port, flows[i].age);
	build(&frame, layers);
	expect(filter, &frame, flows[i].reply ? PASS : DROP,
	       flows[i].reply ? "reply" : "default", flows[i].key);
	tap_end("reply: %s over IPv%u", flows[i].name, family);
	add_tag_to_frame(&frame, 0x8100);
	expect(filter, &frame, flows[i].reply ? PASS : DROP,
	       flows[i].reply ? "reply" : "default", flows[i].key);
	tap_end("reply: %s over IPv%u, tagged", flows[i].name, family);
	bpf_map_delete_elem(bpf_map__fd(filter->program->maps.flows), &flow);
}

/* The identifier tells echo replies of two pings apart. */
static void test_echo_replies(void)
{
	struct filter filter;
	struct frame frame;

	load(&filter, "default drop");
	add_flow(&filter, 4, 1, 0x1234, 0, SECOND);
	add_flow(&filter, 6, 58, 0x1234, 0, SECOND);
	BUILD(&frame, IP4(), ICMP4(0), DATA(56));
	expect(&filter, &frame, PASS, "reply", NO_PORT);
	frame.bytes[ETHERNET_HEADER + 20 + 5]++;
	expect(&filter, &frame, DROP, "default", NO_PORT);
	BUILD(&frame, IP4(), ICMP4(13), DATA(56));
	expect(&filter, &frame, DROP, "default", NO_PORT);
	tap_end("reply: ICMP echo of the same identifier only");
	BUILD(&frame, IP6(), ICMP6(129), DATA(56));
	expect(&filter, &frame, PASS, "reply", NO_PORT);
	frame.bytes[ETHERNET_HEADER + 40 + 5]++;
	expect(&filter, &frame, DROP, "default", NO_PORT);
	tap_end("reply: ICMPv6 echo of the same identifier only");
	BUILD(&frame, IP6(), OPTIONS(8), ICMP6(129));
	expect(&filter, &frame, PASS, "reply", NO_PORT);
	BUILD(&frame, IP6(), FRAGMENT6(MF6), ICMP6(129), DATA(1000));
	expect(&filter, &frame, PASS, "reply", NO_PORT);
	tap_end("reply: ICMPv6 echo behind extension headers");
	filter_close(&filter);
}

/* Only what comes to the default is asked whether it is a reply. */
static void test_reply_and_rules(void)
{
	struct filter filter;
	struct frame frame;

	load(&filter, "default reject\ndrop 5000\nallow 5001\ndrop 5002 from 10.0.0.0/8\n"
		      "drop from 11.0.0.0/8");
	for (__u16 port = 5000; port <= 5003; port++)
		add_flow(&filter, 4, 17, 40000, port, 0);
	BUILD(&frame, IP4(), UDP(5000));
	expect(&filter, &frame, DROP, "#1", U(5000));
	BUILD(&frame, IP4(), UDP(5001));
	expect(&filter, &frame, PASS, "#2", U(5001));
	BUILD(&frame, IP4(), UDP(5002));
	expect(&filter, &frame, PASS, "reply", U(5002));
	BUILD(&frame, IP4(), UDP(5003));
	expect(&filter, &frame, PASS, "reply", U(5003));
	tap_end("reply: after the rules, before the default");
	filter_close(&filter);
}

/* A frame that a local connection would get from its other side. */
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
	return ntohs(address.sin6_port); /* IPv4 has it at the same place */
}

/* Listens on the loopback and connects to that. */
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
		tap_bail("no connection: %s", strerror(errno));
}

static void test_sockets(int family)
{
	static const __u8 flags[] = { ACK, SYN_ACK, RST, FIN, ACK | FIN };
	__u16 client, server;
	struct filter filter;
	struct frame frame;
	int sockets[2];

	load(&filter, "default drop");
	connect_to_self(family, sockets);
	server = port_of(sockets[0]);
	client = port_of(sockets[1]);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		build_segment(&frame, family, server, client, flags[i]);
		expect(&filter, &frame, PASS, "reply", T(client));
		build_segment(&frame, family, client, server, flags[i]);
		expect(&filter, &frame, PASS, "reply", T(server));
	}
	tap_end("reply: segments of a local connection, family %d", family);
	build_segment(&frame, family, client, server, 2);
	expect(&filter, &frame, DROP, "default", T(server));
	build_segment(&frame, family, client, server, 0);
	expect(&filter, &frame, DROP, "default", T(server));
	tap_end("reply: SYN never asks, family %d", family);
	build_segment(&frame, family, client ^ 1, server, ACK);
	expect(&filter, &frame, DROP, "default", T(server));
	tap_end("reply: a listener is nobody's conversation, family %d", family);
	close(sockets[1]);
	close(sockets[0]);
	filter_close(&filter);
}

int main(void)
{
	struct filter filter;

	pin_to_first_cpu();
	sandbox_enter();
	load(&filter, "default drop");
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (size_t i = 0; i < tables[t].count; i++)
			run_case(&filter, tables[t].name, &tables[t].cases[i]);
	}
	filter_rules(&filter, 0, "default drop");
	for (size_t i = 0; i < ARRAY_SIZE(flows) * 2; i++)
		check_flow(&filter, i / 2, i % 2 ? 6 : 4);
	filter_close(&filter);
	test_limit();
	test_limit_rate();
	test_limit_per_source();
	test_echo_replies();
	test_reply_and_rules();
	test_sockets(AF_INET);
	test_sockets(AF_INET6);
	return tap_done();
}
