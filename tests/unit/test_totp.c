// SPDX-License-Identifier: GPL-2.0-only
/* totp_sequence(): time-based sequences of steps. totp_read(): files with the secrets. */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>

#include "rules/totp.h"

static struct knock make_knock(__u32 steps, __u16 first, __u16 last, __u8 transports)
{
	return (struct knock){ .secret = (char *)"/s",
			       .steps = steps,
			       .range = { transports, 0, first, last } };
}

/* Made with Python's hmac and hashlib: parts of HMAC-SHA-512, modulo the number of ports. */
static void test_known_sequence(void **state)
{
	static const struct totp totp = { "12345678901234567890", 20 };
	static const __u32 expected[] = { 87564, 85747, 93815, 25398, 86695, 25477,
					  90204, 20283, 89243, 29361, 87833, 92088,
					  20853, 21964, 86056, 29229 };
	struct knock knock = make_knock(16, 20000, 29999, TRANSPORT_BOTH);
	struct sequence sequence;

	(void)state;
	totp_sequence(&totp, &knock, 59 / WINDOW_SECONDS, &sequence);
	assert_int_equal(sequence.count, 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(sequence.steps[i], expected[i]);
}

/* All steps are in the range, adjacent steps differ, and so do the sequences of windows. */
static void test_steps_and_windows_differ(void **state)
{
	static const struct totp totp = { "12345678901234567890", 20 };
	struct knock narrow = make_knock(4, 65528, 65535, TRANSPORT_UDP);
	struct sequence sequence, before = { 0 };
	unsigned int same = 0;

	(void)state;
	for (__u64 window = 0; window < 20000; window++) {
		totp_sequence(&totp, &narrow, window, &sequence);
		for (__u32 i = 0; i < 4; i++) {
			assert_in_range(sequence.steps[i], PORT_KEY_UDP + 65528,
					PORT_KEY_UDP + 65535);
			assert_true(!i || sequence.steps[i] != sequence.steps[i - 1]);
		}
		same += !memcmp(&sequence, &before, sizeof(sequence));
		before = sequence;
	}
	assert_in_range(same, 0, 50); /* 8 ports: a few windows repeat by chance */
}

static int read_text(const char *text, mode_t mode)
{
	char path[] = "/tmp/portctl-secret-XXXXXX";
	int fd = mkstemp(path), err;
	struct totp totp;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	err = totp_read(path, &totp);
	unlink(path);
	return err;
}

static void test_secret_files(void **state)
{
	const char *right = "000102030405060708090a0b0c0d0e0f";
	char longest[260];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[256] = 0;
	assert_int_equal(read_text(right, 0600), 0);
	assert_int_equal(read_text("000102030405060708090a0b0c0d0e0f\n", 0400), 0);
	assert_int_equal(read_text(longest, 0600), 0);
	longest[256] = 'a';
	longest[258] = 0;
	assert_int_equal(read_text(longest, 0600), -EINVAL);
	assert_int_equal(read_text("", 0600), -EINVAL);
	assert_int_equal(read_text("000102030405060708090a0b0c0d0e", 0600), -EINVAL);
	assert_int_equal(read_text("000102030405060708090a0b0c0d0e0g", 0600), -EINVAL);
	assert_int_equal(read_text("000102030405060708090a0b0c0d0e0f0", 0600), -EINVAL);
	assert_int_equal(read_text("000102030405060708090a0b0c0d0e0f\nmore", 0600), -EINVAL);
	assert_int_equal(read_text(right, 0640), -EPERM);
	assert_int_equal(read_text(right, 0604), -EPERM);
	assert_int_equal(read_text(right, 0620), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_sequence),
		cmocka_unit_test(test_steps_and_windows_differ),
		cmocka_unit_test(test_secret_files),
	};

	return run_suite("totp", tests);
}
