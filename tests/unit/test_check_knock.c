// SPDX-License-Identifier: GPL-2.0-only
/*
 * ruleset_check() of knocks: a service that is open to everybody anyway, a step that is never
 * seen, and a sequence that a port scan would complete.
 */
#include "unit.h"

#include <errno.h>

#include "checked.h"

#define KNOCK "knock a opens 80/tcp for 9s after 7000/tcp 7100/tcp 7200/tcp within 9s\n"
#define SCANNED_ON(iface)                                                                      \
	"F:1:1: found the knock \"a\", which a scan of all ports" iface                        \
	" would open: give its steps another order\n"
#define SCANNED SCANNED_ON("")
#define ONE_WAY                                                                                \
	"F:1:1: warning: the knock \"a\" goes in one direction, as scans do: give its steps "  \
	"another order\n"
#define UNHEARD_ON(step, iface, there)                                                         \
	"F:1:1: warning: the knock \"a\" has the step " step "/tcp, which a rule allows" iface \
	": touching it" there " does not count\n"
#define UNHEARD(step) UNHEARD_ON(step, "", "")
#define CLOSING(steps)                                                                         \
	"knock a opens 80/tcp for 9s after 7000/tcp 9000/udp 8000/tcp within 9s close " steps
#define CLOSES_ITSELF                                                                          \
	"F:1:1: warning: the knock \"a\" has opening steps that also close it: a "             \
	"retransmitted SYN may do so, so give the closing steps other ports\n"

#define CLOSES_INSIDE                                                                          \
	"F:1:1: warning: the knock \"a\" has the closing step 80/tcp, which it opens: "        \
	"touching it does not count for a source with a grant\n"

#define AFTER(steps) "knock a opens 80/tcp for 9s after " steps " within 9s\n"
#define WEB "knock a opens 80/tcp for 9s after 7000/tcp 9000/udp 8000/tcp within 9s\n"
#define OPEN_BY(line, text)                                                                    \
	"F:1:1: found the knock \"a\", but its door is open: line " line " (\"" text           \
	"\") lets every source in\n"
#define OPEN(text) OPEN_BY("2", text)

static const struct {
	const char *text;
	const char *messages;
} knocks[] = {
	{ KNOCK, SCANNED },
	{ KNOCK "default drop", ONE_WAY },
	/* a scan of one protocol after the other, either of them first */
	{ AFTER("7000/tcp 8000/tcp 6000/udp"), SCANNED },
	{ AFTER("7000/udp 8000/udp 6000/tcp"), SCANNED },
	{ AFTER("6000/tcp 8000/udp 7000/udp"), SCANNED },
	{ AFTER("7000/udp 8000/udp 6000/tcp") "default drop", ONE_WAY },
	/* a scan comes from a usable address: rules for 0.0.0.0/8 and ::/8 do not matter */
	{ KNOCK "drop from 0.0.0.0/8, ::/8", SCANNED },
	{ KNOCK "default drop\nallow from 0.0.0.0/8, ::/8", ONE_WAY },
	{ KNOCK "default drop\nallow 7100\ndrop from 0.0.0.0/8", ONE_WAY UNHEARD("7100") },
	{ KNOCK "default drop\nallow 7200 from 0.0.0.0/8, ::/8", ONE_WAY },
	{ KNOCK "default drop\nallow 7200 from ::/0", ONE_WAY UNHEARD("7200") },
	{ KNOCK "default drop\nallow 6000-7999 from ::/0", SCANNED UNHEARD("7000") },
	/* one interface on which a scan succeeds is enough */
	{ KNOCK "default drop\nallow 7001-7199/tcp on eth1\nallow 81 on eth0",
	  SCANNED_ON(" on eth1") UNHEARD_ON("7100", " on eth1", " there") },
	{ KNOCK "default drop\nallow 7050-7199 on eth0\nallow 7001-7049 on eth1",
	  ONE_WAY UNHEARD_ON("7100", " on eth0", " there") },
	{ KNOCK "default drop\nallow 7001-7049\nallow 7050-7099 7101-7199 on eth0",
	  SCANNED_ON(" on eth0") },
	{ KNOCK "drop 7001-7099\nallow 7001-7099 on eth0", SCANNED_ON(" on eth0") },
	/* default allow: the ports between the steps are dropped by a rule */
	{ KNOCK "drop 7001-7099\ndrop from 192.0.2.1", ONE_WAY },
	/* an unanswered SYN is sent again, a datagram is not */
	{ CLOSING("8000/tcp 7000/tcp"), CLOSES_ITSELF },
	{ CLOSING("9000/udp 8000/tcp"), CLOSES_ITSELF },
	{ CLOSING("8000/tcp 9000/udp"), "" },
	{ CLOSING("8000/tcp 7001/tcp"), "" },
	{ CLOSING("8001/tcp 7001/tcp"), "" },
	{ CLOSING("8001/tcp 80/tcp"), CLOSES_INSIDE },
	{ CLOSING("8001/tcp 80/udp"), "" },
	/* the ports a knock opens are shut without a grant: touching one is a miss */
	{ "knock a opens 81/tcp for 9s after 7000/tcp 9000/udp 8000/tcp within 9s\n"
	  "knock c opens 7000/tcp 9000/udp for 9s after 1000/tcp 900/udp 8000/tcp within 9s\n"
	  "default drop",
	  "" },
	{ KNOCK "knock c opens 7001-7099/tcp 7101-7199/tcp for 9s after 9/tcp 7/tcp 8/tcp "
		"within 9s\ndefault drop",
	  ONE_WAY },
	/* the same holds for the steps of other knocks */
	{ KNOCK "knock c opens 82/tcp for 9s after 7010/tcp 7150/tcp 7020/tcp within 9s",
	  ONE_WAY },
	{ KNOCK "knock c opens 82/tcp for 9s after 7010/tcp 7150/tcp 6999/tcp within 9s",
	  SCANNED },
	/* a scan may alternate the protocols port by port, up or down, either of them first */
	{ AFTER("7000/tcp 7001/udp 7002/tcp") "default drop", SCANNED },
	{ AFTER("7000/tcp 7002/udp 7003/tcp") "default drop", ONE_WAY },
	{ AFTER("7000/tcp 7000/udp 7001/tcp") "default drop", SCANNED },
	{ AFTER("7000/tcp 7001/udp 7002/tcp"), SCANNED },
	{ AFTER("7002/tcp 7001/udp 7000/tcp"), SCANNED },
	{ AFTER("7000/udp 7000/tcp 7001/udp") "default drop", SCANNED },
	{ AFTER("7001/udp 7000/tcp 7000/udp") "default drop", SCANNED },
	{ AFTER("7000/tcp 7001/udp 7002/tcp") "drop 7001/tcp\ndrop 7002/udp", SCANNED },
	{ AFTER("7000/tcp 7003/udp 7006/tcp") "drop 7001-7005", ONE_WAY },
	{ AFTER("7000/tcp 7002/udp 7001/tcp"), "" },
	{ AFTER("7001/udp 7000/tcp 7002/tcp") "default drop", ONE_WAY },
	{ AFTER("7001/udp 7000/tcp 7002/udp") "default drop", "" },
	/* the service is open anyway: some rule lets in sources without a grant */
	{ WEB "allow 1-1023", OPEN("allow 1-1023") },
	{ WEB "allow 80/tcp", OPEN("allow 80/tcp") },
	{ WEB "allow 80 limit 5/m", OPEN("allow 80 limit 5/m") },
	{ WEB "allow 80 for 1h", OPEN("allow 80 for 1h") },
	{ WEB "allow 1-1023\ndrop 80 for 1h", OPEN("allow 1-1023") },
	{ WEB "allow 80 from 0.0.0.0/0, ::/0", OPEN("allow 80 from 0.0.0.0/0, ::/0") },
	{ WEB "allow 80 from ::/0", OPEN("allow 80 from ::/0") },
	{ WEB "allow from 0.0.0.0/1, 128.0.0.0/1", OPEN("allow from 0.0.0.0/1, 128.0.0.0/1") },
	{ WEB "drop from 10.0.0.0/8\nallow 1-1023\nallow 80 from ::/0",
	  OPEN_BY("3", "allow 1-1023") },
	{ "knock a opens 70-90 for 9s after 7000/tcp 9000/udp 8000/tcp within 9s\n"
	  "allow 85/udp",
	  OPEN("allow 85/udp") },
	{ WEB "allow 80/udp\nallow 81\nallow 79", "" },
	{ WEB "allow 80 on eth1", "" },
	{ WEB "allow 80 on eth1\nallow 1-1023", OPEN_BY("3", "allow 1-1023") },
	{ WEB "allow 1-1023\ndrop 80", "" },
	{ WEB "allow 1-1023\nreject 80 from 0.0.0.0/0, ::/0", "" },
	{ WEB "allow 80 from 192.0.2.0/24, 2001:db8::/32", "" },
	{ WEB "allow 80\ndrop from 0.0.0.0/0, ::/0", "" },
};

static void test_errors_and_warnings_of_knocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(knocks); i++) {
		struct parsed parsed;
		int err;

		parsed_valid(&parsed, knocks[i].text);
		err = check(&parsed, 0);
		assert_string_equal(parsed.messages, knocks[i].messages);
		assert_int_equal(err, parsed.report.errors ? -EINVAL : 0);
		parsed_clear(&parsed);
	}
}

/* Prints `count` numbered knocks whose sequences all begin with 7000/tcp. */
static void print_crowd(FILE *out, int count, const char *close)
{
	for (int n = 1; n <= count; n++)
		fprintf(out,
			"knock k%d opens %d/tcp for 9s after 7000/tcp 9%03d/udp 8%03d/tcp "
			"within 9s%s\n",
			n, n, n, n, close);
}

/*
 * Checks `count` knocks with the same first step, behind which comes one that does not count:
 * it begins with 7000/udp, and its closing sequence has a single step.
 */
static void check_crowd(int count, const char *close, size_t first, const char *messages)
{
	cleanup_free char *text = NULL;
	struct parsed parsed;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print_crowd(out, count, close);
	fprintf(out, "knock l opens 80/tcp for 9s after 7000/udp 9000/tcp 8000/udp within 9s "
		     "close 7000/tcp\n");
	fclose(out);
	parsed_valid(&parsed, text);
	assert_int_equal(check(&parsed, first), 0);
	assert_string_equal(parsed.messages, messages);
	parsed_clear(&parsed);
}

#define CROWDED(line, name)                                                                    \
	"F:" line ":1: warning: the knock \"" name                                             \
	"\" has a sequence that begins with 7000/tcp, as 8 others do: no more are followed "   \
	"for one source, so choose another first step\n"

/* A source has at most 8 attempts at a time, and one touch can begin one for each sequence. */
static void test_too_many_knocks_with_the_same_first_step(void **state)
{
	(void)state;
	check_crowd(8, "", 0, "");
	check_crowd(9, "", 0, CROWDED("9", "k9"));
	check_crowd(10, "", 9, CROWDED("10", "k10"));
	/* closing sequences count as well */
	check_crowd(4, " close 7000/tcp 6000/tcp", 0, "");
	check_crowd(5, " close 7000/tcp 6000/tcp", 0, CROWDED("5", "k5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_and_warnings_of_knocks),
		cmocka_unit_test(test_too_many_knocks_with_the_same_first_step),
	};

	return run_suite("check_knock", tests);
}
