// SPDX-License-Identifier: GPL-2.0-only
/* Several doors with the same first steps, and several knocks at one door. */
#include "doors.h"
#include "../sandbox.h"

static void test_full_attempts(void)
{
	struct doors doors;

	doors_load(&doors,
		   "default drop\n"
		   "knock a opens 22/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s\n"
		   "knock b opens 80/tcp for 30s after 7000/tcp 9001/udp 8001/tcp within 10s "
		   "close 7000/tcp 9002/udp\n"
		   "knock c opens 81/tcp for 30s after 7000/tcp 9003/udp 8003/tcp within 10s");
	flood_first_steps(&doors, 300000);
	for (int i = 1; i <= 50; i++) {
		const struct source source = { 4, i, 0 };

		TOUCH(&doors, source, T(7000), U(9000), T(8000));
		expect_open(&doors, source, true);
	}
	expect_count("grants", doors.counts[0].grants, 50);
	tap_end("attempts begun by one touch do not overwrite each other in a full table");
	doors_close(&doors);
}

static void test_shared_steps(void)
{
	struct doors doors;

	doors_load(&doors,
		   "default drop\n"
		   "knock a opens 22/tcp for 30s after 7000/tcp 9000/udp 8001/tcp within 10s\n"
		   "knock b opens 80/tcp for 30s after 7000/tcp 9000/udp 8002/tcp within 10s\n"
		   "knock c opens 81/tcp for 30s after 7000/tcp 9000/udp 8003/tcp within 10s\n"
		   "knock d opens 82/tcp for 30s after 7000/tcp 9000/udp 8004/tcp within 10s\n"
		   "knock e opens 83/tcp for 30s after 7000/tcp 9000/udp 8005/tcp within 10s\n"
		   "knock f opens 84/tcp for 30s after 7000/tcp 9000/udp 8006/tcp within 10s\n"
		   "knock g opens 85/tcp for 30s after 7000/tcp 9000/udp 8007/tcp within 10s");
	for (int i = 1; i <= 7; i++)
		TOUCH(&doors, one, T(7000), U(9000), T(8000 + i));
	for (int i = 0; i < 3; i++)
		expect_count("grants", doors.counts[i].grants, 1);
	expect_open(&doors, one, true);
	tap_end("a touch that fails several attempts of a source is one failure");
	doors_close(&doors);
}

static void lengthen(void *value, __u64 by)
{
	((struct grant *)value)->deadline += by;
}

static void test_longer_grant(void)
{
	struct grant_key key;
	struct grant grant;
	struct doors doors;

	doors_load(&doors,
		   "default drop\n"
		   "knock a opens 22/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s");
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	each_element(doors.filter.program->maps.grants, &key, &grant, lengthen,
		     3600 * 1000000000ull);
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	age_grants(&doors, 3600);
	expect_open(&doors, one, true);
	age_grants(&doors, 31);
	expect_open(&doors, one, false);
	tap_end("a knock does not shorten a longer grant");
	doors_close(&doors);
}

static void test_once_beside_others(void)
{
	const struct layer segment = TCP(22, .from = 3333, .flags = SET(0x10));
	const struct layer first = TCP(22, .from = 1111), second = TCP(22, .from = 2222);
	struct doors doors;

	doors_load(&doors, "default drop\nknock a opens 22/tcp for 30s once after 7000/tcp "
			   "9000/udp 8000/tcp within 10s");
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	send_frame(&doors, one, segment);
	if (send_frame(&doors, one, first) != PASS)
		tap_wrong("the connection was not let in");
	if (send_frame(&doors, one, second) == PASS)
		tap_wrong("another connection was let in");
	if (send_frame(&doors, one, (struct layer)TCP(22, .from = 1111, .flags = SET(0x10))) !=
	    PASS)
		tap_wrong("the connection does not go on");
	tap_end("\"once\" is used up by a SYN, not by a segment of an older connection");
	doors_close(&doors);
}

int main(void)
{
	sandbox_enter();
	test_full_attempts();
	test_shared_steps();
	test_longer_grant();
	test_once_beside_others();
	return tap_done();
}
