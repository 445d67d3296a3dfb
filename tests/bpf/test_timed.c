// SPDX-License-Identifier: GPL-2.0-only
/* Sequences that change with the time: which window opens, when, and how often. */
#include <time.h>

#include "doors.h"
#include "rules/totp.h"
#include "../sandbox.h"

#define RULES                                                                                  \
	"default drop\n"                                                                       \
	"knock a totp /s steps 3 ports 20000-29999 opens 22/tcp for 30s within 10s\n"

#define SECOND 1000000000ull

static const struct totp secret = { "0123456789abcdef", 16 };

struct timed {
	struct doors doors;
	struct windows *windows;
	__u64 present;
};

static __u64 now_on(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/*
 * The middle of a window, whatever the time is: the data path's clock is this test's
 * to set, by how far TAI is said to be from UTC.
 */
static void set_clock(struct timed *timed, __u64 window)
{
	timed->doors.filter.program->data_control->control.tai_offset =
		now_on(CLOCK_TAI) - (window * WINDOW_SECONDS + WINDOW_SECONDS / 2) * SECOND;
}

/* The windows before, at and after `window`, as "knock serve" makes them. */
static void serve(struct timed *timed, __u64 window)
{
	const struct knock *knock = timed->doors.filter.ruleset.rules[0].knock;

	memset(timed->windows[0].list, 0, sizeof(timed->windows[0].list));
	for (__u64 number = window - 1; number <= window + 1; number++) {
		struct window *made = &timed->windows[0].list[number % WINDOWS];

		made->number = number;
		totp_sequence(&secret, knock, number, &made->sequence);
	}
	timed->windows[0].until = now_on(CLOCK_BOOTTIME) + 60 * SECOND;
}

static void timed_load(struct timed *timed, const char *rules)
{
	doors_load(&timed->doors, rules);
	timed->windows = map_memory(timed->doors.filter.program->maps.windows,
				    MAX_DOORS * sizeof(*timed->windows));
	timed->present = 59000000;
	set_clock(timed, timed->present);
	serve(timed, timed->present);
}

static void timed_close(struct timed *timed)
{
	munmap(timed->windows, MAX_DOORS * sizeof(*timed->windows));
	doors_close(&timed->doors);
}

/* Knocks the sequence of a window. */
static void knock_window(struct timed *timed, struct source source, __u64 window)
{
	struct sequence sequence;

	totp_sequence(&secret, timed->doors.filter.ruleset.rules[0].knock, window, &sequence);
	touch_all(&timed->doors, source, sequence.steps, sequence.count);
}

static void test_windows(void)
{
	for (int off = -2; off <= 2; off++) {
		struct timed timed;

		timed_load(&timed, RULES);
		knock_window(&timed, one, timed.present + off);
		expect_open(&timed.doors, one, off >= -1 && off <= 1);
		expect_open(&timed.doors, other, false);
		tap_end("timed: the sequence of window %+d", off);
		timed_close(&timed);
	}
}

static void test_once(void)
{
	struct timed timed;

	timed_load(&timed, RULES);
	knock_window(&timed, one, timed.present);
	expect_open(&timed.doors, one, true);
	age_grants(&timed.doors, 31);
	knock_window(&timed, one, timed.present);
	expect_open(&timed.doors, one, false);
	expect_count("replays", timed.doors.counts[0].replays, 1);
	knock_window(&timed, one, timed.present - 1);
	expect_open(&timed.doors, one, false);
	expect_count("replays", timed.doors.counts[0].replays, 2);
	tap_end("timed: a window is good once for a source, and none before it");
	knock_window(&timed, other, timed.present);
	expect_open(&timed.doors, other, true);
	tap_end("timed: another source may use it as well");
	set_clock(&timed, timed.present + 1);
	serve(&timed, timed.present + 1);
	knock_window(&timed, one, timed.present + 1);
	expect_open(&timed.doors, one, true);
	tap_end("timed: the next window opens again");
	timed_close(&timed);
}

static void test_dead(void)
{
	struct timed timed;

	timed_load(&timed, RULES);
	timed.windows[0].until = now_on(CLOCK_BOOTTIME);
	knock_window(&timed, one, timed.present);
	expect_open(&timed.doors, one, false);
	expect_count("attempts", timed.doors.counts[0].attempts, 0);
	tap_end("timed: nobody makes sequences, so the door is shut");
	timed.windows[0].until = now_on(CLOCK_BOOTTIME) + 60 * SECOND;
	set_clock(&timed, timed.present + 10);
	knock_window(&timed, one, timed.present);
	knock_window(&timed, one, timed.present + 10);
	expect_open(&timed.doors, one, false);
	tap_end("timed: old sequences are not believed, whoever says he is alive");
	set_clock(&timed, timed.present);
	timed.windows[0].list[timed.present % WINDOWS].number = 0;
	knock_window(&timed, one, timed.present);
	expect_open(&timed.doors, one, false);
	tap_end("timed: nor one that is being written");
	timed_close(&timed);
}

/* A door is shut and its range answers nothing, also where the default is allow. */
static void test_range(void)
{
	struct timed timed;

	timed_load(&timed, "knock a totp /s steps 3 ports 20000-29999/udp opens 22/tcp for 30s "
			   "within 10s\n");
	expect_open(&timed.doors, one, false);
	if (touch(&timed.doors, one, U(20000)) != DROP ||
	    touch(&timed.doors, one, U(29999)) != DROP)
		tap_wrong("the range answers");
	if (touch(&timed.doors, one, U(19999)) != PASS ||
	    touch(&timed.doors, one, U(30000)) != PASS ||
	    touch(&timed.doors, one, T(25000)) != PASS)
		tap_wrong("more than the range is shut");
	tap_end("timed: the range is shut, and no more than it");
	timed_close(&timed);
}

/* Scans of the whole range, in order, back, and 50 at random. */
static void test_scans(void)
{
	struct timed timed;
	__u32 keys[20000];

	timed_load(&timed, RULES);
	for (__u32 i = 0; i < 20000; i++)
		keys[i] = i < 10000 ? T(20000 + i) : U(10000 + i);
	for (int scan = 0; scan < 52; scan++) {
		for (__u32 i = 0; i < 20000; i++) {
			__u32 at = scan < 2 ? 19999 - i : i + random() % (20000 - i);
			__u32 key = keys[i];

			if (!scan)
				break;
			keys[i] = keys[at];
			keys[at] = key;
			if (scan == 1 && i == 9999)
				break;
		}
		touch_all(&timed.doors, one, keys, 20000);
	}
	expect_open(&timed.doors, one, false);
	expect_count("grants", timed.doors.counts[0].grants, 0);
	tap_end("timed: no scan opens, in order, reversed or at random");
	timed_close(&timed);
}

int main(void)
{
	pin_to_first_cpu();
	sandbox_enter();
	srandom(1);
	test_windows();
	test_once();
	test_dead();
	test_range();
	test_scans();
	return tap_done();
}
