// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verdict reject: the answer byte by byte, packets that get none, what is charged, and the
 * limit on answers.
 */
#include "answer.h"
#include "charged.h"
#include "packet_case.h"
#include "rate.h"

/* Finds the headers in a frame that build() made. */
static void read_question(const struct frame *frame, struct question *question)
{
	__u32 link = ETHERNET_HEADER;

	while (frame->bytes[link - 2] == 0x81 || frame->bytes[link - 2] == 0x88)
		link += 4;
	*question = (struct question){ .ip = frame->bytes + link, .link = link };
	question->ipv4 = question->ip[0] >> 4 == 4;
	question->protocol = question->ip[question->ipv4 ? 9 : 6];
	question->transport = question->ip + (question->ipv4 ? (question->ip[0] & 15) * 4 : 40);
}

static __u32 run(const struct filter *filter, const struct frame *frame, __u8 *out,
		 __u32 *length)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes,
		    .data_size_in = frame->length, .data_out = out, .data_size_out = FRAME_MAX,
		    .repeat = 1);

	if (bpf_prog_test_run_opts(bpf_program__fd(filter->program->progs.portctl), &opts))
		tap_bail("a frame could not be run: %s", strerror(errno));
	*length = opts.data_size_out;
	return opts.retval;
}

static void check_answer(struct filter *filter, const struct frame *frame)
{
	static __u8 out[FRAME_MAX], wanted[FRAME_MAX];
	__u32 length, verdict = run(filter, frame, out, &length);
	struct question question;
	__u32 wanted_length;

	read_question(frame, &question);
	wanted_length = make_answer(frame->bytes, &question, wanted);
	filter_changes(filter, &(struct changes){ 0 });
	if (verdict != VERDICT_REJECT) {
		tap_wrong("the verdict was %u, not reject", verdict);
		return;
	}
	if (length == wanted_length && !memcmp(out, wanted, length))
		return;
	tap_wrong("%u bytes, not %u; first the answer, then the expected one:", length,
		  wanted_length);
	for (__u32 n = 0; n < length; n += 16)
		tap_wrong_bytes(out + n, length - n < 16 ? length - n : 16);
	for (__u32 n = 0; n < wanted_length; n += 16)
		tap_wrong_bytes(wanted + n, wanted_length - n < 16 ? wanted_length - n : 16);
}

/* Expects a drop without an answer, charged to the line that rejects. */
static void check_no_answer(struct filter *filter, const struct frame *frame, __u32 line,
			    __u32 key)
{
	check_frame(filter, frame, VERDICT_DROP, line, key);
}

#define SEGMENT(bits, ...) TCP(22, .flags = SET(bits), __VA_ARGS__)

/* clang-format off */
static const struct {
	const char *name;
	struct layer layers[8];
} answered[] = {
	{ "SYN", { IP4(), SEGMENT(SYN) } },
	{ "SYN with options", { IP4(), SEGMENT(SYN, .size = 20) } },
	{ "SYN with data", { IP4(), SEGMENT(SYN), DATA(11) } },
	{ "SYN ACK", { IP4(), SEGMENT(SYN | ACK) } },
	{ "ACK", { IP4(), SEGMENT(ACK) } },
	{ "ACK with data", { IP4(), SEGMENT(ACK), DATA(1000) } },
	{ "FIN ACK", { IP4(), SEGMENT(FIN | ACK) } },
	{ "FIN", { IP4(), SEGMENT(FIN) } },
	{ "FIN with data and options", { IP4(), SEGMENT(FIN, .size = 12), DATA(7) } },
	{ "SYN FIN", { IP4(), SEGMENT(SYN | FIN) } },
	{ "data and no flags", { IP4(), SEGMENT(0), DATA(300) } },
	{ "SYN in a packet with options", { IP4(.size = 8), SEGMENT(SYN), DATA(3) } },
	{ "SYN with padding", { IP4(), SEGMENT(SYN), PAD(6) } },
	{ "SYN over IPv6", { IP6(), SEGMENT(SYN) } },
	{ "SYN with data over IPv6", { IP6(), SEGMENT(SYN, .size = 8), DATA(11) } },
	{ "ACK with data over IPv6", { IP6(), SEGMENT(ACK), DATA(1400) } },
	{ "FIN over IPv6", { IP6(), SEGMENT(FIN), PAD(2) } },
	{ "UDP", { IP4(), UDP(53), DATA(100) } },
	{ "UDP without data", { IP4(), UDP(53) } },
	{ "UDP without data, padded", { IP4(), UDP(53), PAD(18) } },
	{ "UDP in a packet with options", { IP4(.size = 12), UDP(53), DATA(40) } },
	{ "large UDP", { IP4(), UDP(53), DATA(1400) } },
	{ "UDP over IPv6", { IP6(), UDP(53), DATA(101) } },
	{ "UDP without data over IPv6", { IP6(), UDP(53) } },
	{ "GRE", { IP4(), NEXT(47), DATA(60) } },
	{ "GRE over IPv6", { IP6(), NEXT(47), DATA(60) } },
	{ "ICMP that is no error", { IP4(), ICMP4(13), DATA(12) } },
};
/* clang-format on */

static void test_answers(struct filter *filter)
{
	for (size_t i = 0; i < ARRAY_SIZE(answered); i++) {
		static const char *const tags[] = { "", ", tagged", ", tagged twice" };
		struct layer layers[LAYERS_MAX] = { 0 };
		struct question question;
		struct frame frame;

		memcpy(layers, answered[i].layers, sizeof(answered[i].layers));
		build(&frame, layers);
		read_question(&frame, &question);
		if (question.protocol == 6) /* sequence numbers that wrap around */
			memcpy((__u8 *)question.transport + 4,
			       "\xFF\xFF\xFF\xF8\x12\x34\x56\x78", 8);
		for (int n = 0; n < 3; n++) {
			if (n)
				add_tag_to_frame(&frame, n == 1 ? 0x8100 : 0x88A8);
			check_answer(filter, &frame);
			tap_end("answer: %s%s", answered[i].name, tags[n]);
		}
	}
}

/* clang-format off */
static const struct packet_case unanswered[] = {
	BOTH("a reset", "", SEGMENT(RST), DROP, "default", T(22)),
	BOTH("a reset with ACK", "", SEGMENT(RST | ACK), DROP, "default", T(22)),
	{ "an ICMP error", "", { IP4(), ICMP4(3), DATA(28) }, DROP, "default", NO_PORT },
	{ "an ICMPv6 error", "", { IP6(), ICMP6(1), DATA(48) }, DROP, "default", NO_PORT },
	{ "an ICMP redirect", "", { IP4(), ICMP4(5), DATA(28) }, DROP, "default", NO_PORT },
	{ "an ICMP source quench", "",
	  { IP4(), ICMP4(4), DATA(28) }, DROP, "default", NO_PORT },
	{ "an unknown ICMPv6 error", "",
	  { IP6(), ICMP6(100), DATA(48) }, DROP, "default", NO_PORT },
	{ "an ICMPv6 redirect", "", { IP6(), ICMP6(137), DATA(48) }, DROP, "default", NO_PORT },
	{ "a first fragment", "",
	  { IP4(.fragment = MF4), UDP(53), DATA(8) }, DROP, "default", U(53) },
	{ "a first fragment of TCP", "",
	  { IP4(.fragment = MF4), TCP(53), DATA(4) }, DROP, "default", T(53) },
	{ "a first fragment of IPv6", "",
	  { IP6(), FRAGMENT6(MF6), UDP(53), DATA(8) }, DROP, "default", U(53) },
	{ "a first fragment of TCP, IPv6", "",
	  { IP6(), FRAGMENT6(MF6), TCP(53) }, DROP, "default", T(53) },
};

/* Addresses that must not be answered, or to which nothing must be sent. */
static const struct {
	const char *name;
	int family;
	__u32 at; /* offset in the frame, */
	const char *bytes; /* where these bytes */
	size_t size; /* replace those of a correct packet */
} wrong_addresses[] = {
	{ "a multicast frame", 4, 0, "\x01\0\x5E\0\0\1", 6 },
	{ "a broadcast frame", 4, 0, "\xFF\xFF\xFF\xFF\xFF\xFF", 6 },
	{ "to a multicast address", 4, 30, "\xE0\0\0\1", 4 },
	{ "to the last multicast address", 4, 30, "\xEF\xFF\xFF\xFF", 4 },
	{ "to 255.255.255.255", 4, 30, "\xFF\xFF\xFF\xFF", 4 },
	{ "from a multicast address", 4, 26, "\xE0\0\0\1", 4 },
	{ "from 255.255.255.255", 4, 26, "\xFF\xFF\xFF\xFF", 4 },
	{ "from 0.0.0.0", 4, 26, "\0\0\0\0", 4 },
	{ "a multicast frame of IPv6", 6, 0, "\x33\x33\0\0\0\1", 6 },
	{ "to a multicast address of IPv6", 6, 38, "\xFF\x02", 2 },
	{ "from a multicast address of IPv6", 6, 22, "\xFF\x02", 2 },
	{ "from an IPv6 address that begins with 0", 6, 22, "\0\0\0\0", 4 },
};
/* clang-format on */

static void test_no_answers(struct filter *filter)
{
	struct frame frame;

	for (size_t i = 0; i < ARRAY_SIZE(unanswered); i++) {
		build(&frame, unanswered[i].layers);
		check_no_answer(filter, &frame, LINE_DEFAULT_REJECT, unanswered[i].key);
		tap_end("no answer: %s", unanswered[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong_addresses) * 2; i++) {
		struct layer layers[LAYERS_MAX] = { IP4(), UDP(53) };

		if (wrong_addresses[i / 2].family == 6)
			layers[0] = (struct layer)IP6();
		if (i % 2)
			layers[1] = (struct layer)TCP(53);
		build(&frame, layers);
		memcpy(frame.bytes + wrong_addresses[i / 2].at, wrong_addresses[i / 2].bytes,
		       wrong_addresses[i / 2].size);
		check_no_answer(filter, &frame, LINE_DEFAULT_REJECT, i % 2 ? T(53) : U(53));
		tap_end("no answer: %s, %s", wrong_addresses[i / 2].name,
			i % 2 ? "TCP" : "UDP");
	}
}

/* The rejected packet is charged with its own length, not with that of the answer. */
static void test_charged(struct filter *filter)
{
	struct frame frame;

	filter_rules(filter, 0,
		     "reject 22\nreject gre\ndefault drop\nreject from 10.0.0.0/8\n"
		     "reject 23 from 192.0.2.0/24");
	BUILD(&frame, IP4(), TCP(22), DATA(500));
	check_frame(filter, &frame, VERDICT_REJECT, filter->ruleset.rules[0].line, T(22));
	tap_end("charged: TCP");
	BUILD(&frame, IP6(), UDP(22), DATA(5));
	check_frame(filter, &frame, VERDICT_REJECT, filter->ruleset.rules[0].line, U(22));
	tap_end("charged: UDP");
	BUILD(&frame, IP4(), NEXT(47), DATA(50));
	check_frame(filter, &frame, VERDICT_REJECT, filter->ruleset.rules[1].line, NO_PORT);
	tap_end("charged: GRE");
	BUILD(&frame, IP4(), TCP(23));
	check_frame(filter, &frame, VERDICT_REJECT, filter->ruleset.rules[3].line, T(23));
	tap_end("charged: TCP, to a rule with a source");
	BUILD(&frame, IP4(.fragment = AT4(80)), NEXT(17), DATA(64));
	memcpy(frame.bytes + 26, "\x0A\0\0\1", 4);
	check_no_answer(filter, &frame, filter->ruleset.rules[2].line, NO_PORT);
	tap_end("no answer: a later fragment");
	BUILD(&frame, IP6(), FRAGMENT6(AT6(80)), NEXT(17), DATA(64));
	check_frame(filter, &frame, VERDICT_PASS, LINE_FRAGMENT_PASS, NO_PORT);
	tap_end("no answer: a later fragment of another source passes");
}

/* 1000 answers at once, then 1000 a second. Packets without an answer do not use them up. */
static void test_limit_of_answers(void)
{
	static const struct rate answers = { VERDICT_REJECT, 1000, 1000 };
	struct filter filter;
	struct frame frame, reset;
	__u32 verdict;

	filter_load(&filter, cpu + 1);
	filter_rules(&filter, 0, "default reject");
	BUILD(&reset, IP4(), SEGMENT(RST));
	BUILD(&frame, IP4(), UDP(53));
	for (int i = 0; i < 2000; i++)
		filter_run(&filter, &reset, 1, &verdict);
	check_burst(&filter, &frame, &answers);
	check_rate(&filter, &frame, &answers);
	tap_end("limit: at most 1000 answers a second, and 1000 at once");
	filter_close(&filter);
}

int main(void)
{
	struct filter filter;

	pin_to_first_cpu();
	filter_load(&filter, cpu + 1);
	filter_rules(&filter, 0,
		     "default reject\noption icmp-errors off\noption neighbours off");
	test_answers(&filter);
	test_no_answers(&filter);
	test_charged(&filter);
	filter_close(&filter);
	test_limit_of_answers();
	return tap_done();
}
