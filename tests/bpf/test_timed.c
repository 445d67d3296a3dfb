// SPDX-License-Identifier: GPL-2.0-only
/* Knocks with time-based sequences: which window's sequence opens, when, and how often. */
#include "doors.h"
#include "rules/totp.h"
#include "../sandbox.h"

#define RULES                                                                                  \
	"default drop\n"                                                                       \
	"knock a totp /s steps 3 ports 20000-29999 opens 22/tcp for 30s within 10s\n"

static const struct totp secret = { "0123456789abcdef", 16 };

struct timed {
	struct doors doors;
	struct windows *windows;
	__u64 present;
};

/*
 * Sets the data path's clock to the middle of a window. The data path computes UTC from TAI, so
 * the test sets the offset between the two.
 */
static void set_clock(struct timed *timed, __u64 window)
{
	timed->doors.filter.program->data_control->control.tai_offset =
		clock_time(CLOCK_TAI) - (window * WINDOW_SECONDS + WINDOW_SECONDS / 2) * SECOND;
}

/* Writes the sequences of `window` and of its two neighbours, as "knock serve" does. */
static void serve(struct timed *timed, __u64 window)
{
	const struct knock *knock = timed->doors.filter.ruleset.rules[0].knock;

	memset(timed->windows[0].list, 0, sizeof(timed->windows[0].list));
	for (__u64 number = window - 1; number <= window + 1; number++) {
		struct window *made = &timed->windows[0].list[number % WINDOWS];

		made->number = number;
		totp_sequence(&secret, knock, number, &made->sequence);
	}
	timed->windows[0].until = clock_time(CLOCK_BOOTTIME) + 60 * SECOND;
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

/* Touches the ports of a window's sequence. */
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
		tap_end("timed: the sequence of window %+d %s", off,
			off >= -1 && off <= 1 ? "opens" : "does not open");
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
	tap_end("timed: a source can use a window once, and then no earlier one");
	knock_window(&timed, other, timed.present);
	expect_open(&timed.doors, other, true);
	tap_end("timed: another source can use the same window");
	set_clock(&timed, timed.present + 1);
	serve(&timed, timed.present + 1);
	knock_window(&timed, one, timed.present + 1);
	expect_open(&timed.doors, one, true);
	tap_end("timed: the next window opens again");
	timed_close(&timed);
}

/* Without current sequences from "knock serve" the door stays shut. */
static void test_stale_sequences(void)
{
	struct timed timed;

	timed_load(&timed, RULES);
	timed.windows[0].until = clock_time(CLOCK_BOOTTIME);
	knock_window(&timed, one, timed.present);
	expect_open(&timed.doors, one, false);
	expect_count("attempts", timed.doors.counts[0].attempts, 0);
	tap_end("timed: sequences past their expiry do not open");
	timed.windows[0].until = clock_time(CLOCK_BOOTTIME) + 60 * SECOND;
	set_clock(&timed, timed.present + 10);
	knock_window(&timed, one, timed.present);
	knock_window(&timed, one, timed.present + 10);
	expect_open(&timed.doors, one, false);
	tap_end("timed: sequences of past windows do not open, though their expiry is ahead");
	set_clock(&timed, timed.present);
	timed.windows[0].list[timed.present % WINDOWS].number = 0;
	knock_window(&timed, one, timed.present);
	expect_open(&timed.doors, one, false);
	tap_end("timed: a sequence that is being written does not open");
	timed_close(&timed);
}

/* Under default allow, the door is shut and the range of its steps drops silently. */
static void test_range(void)
{
	struct timed timed;

	timed_load(&timed, "knock a totp /s steps 3 ports 20000-29999/udp opens 22/tcp for 30s "
			   "within 10s\n");
	expect_open(&timed.doors, one, false);
	if (touch(&timed.doors, one, U(20000)) != DROP ||
	    touch(&timed.doors, one, U(29999)) != DROP)
		tap_wrong("a port of the range does not drop");
	if (touch(&timed.doors, one, U(19999)) != PASS ||
	    touch(&timed.doors, one, U(30000)) != PASS ||
	    touch(&timed.doors, one, T(25000)) != PASS)
		tap_wrong("a port outside the range does not pass");
	tap_end("timed: under default allow, exactly the range of the steps drops");
	timed_close(&timed);
}

/* Scans of the whole range: upwards, downwards, and 50 in random order. */
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
	tap_end("timed: no scan opens, upwards, downwards or in random order");
	timed_close(&timed);
}

int main(void)
{
	pin_to_first_cpu();
	sandbox_enter();
	srandom(1);
	test_windows();
	test_once();
	test_stale_sequences();
	test_range();
	test_scans();
	return tap_done();
}
