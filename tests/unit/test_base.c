// SPDX-License-Identifier: GPL-2.0-only
/* The small files of user/base: number, array, env and text. */
#include "unit.h"

#include <errno.h>
#include <limits.h>

#include "base/env.h"
#include "base/number.h"
#include "base/text.h"

static const struct {
	const char *text;
	unsigned long max;
	int err;
	unsigned long value;
} numbers[] = {
	{ "0", 65535, 0, 0 },
	{ "1", 65535, 0, 1 },
	{ "65535", 65535, 0, 65535 },
	{ "65536", 65535, -ERANGE, 0 },
	{ "65540", 65535, -ERANGE, 0 },
	{ "70000", 65535, -ERANGE, 0 },
	{ "655350", 65535, -ERANGE, 0 },
	{ "00022", 65535, 0, 22 },
	{ "0000000000000000000000000000000000000022", 65535, 0, 22 },
	{ "1234567890123456789012345678901234567890", 65535, -ERANGE, 0 },
	{ "18446744073709551615", ULONG_MAX, 0, ULONG_MAX },
	{ "18446744073709551616", ULONG_MAX, -ERANGE, 0 },
	{ "18446744073709551620", ULONG_MAX, -ERANGE, 0 },
	{ "36893488147419103232", ULONG_MAX, -ERANGE, 0 },
	{ "", 65535, -EINVAL, 0 },
	{ "-1", 65535, -EINVAL, 0 },
	{ "+1", 65535, -EINVAL, 0 },
	{ " 1", 65535, -EINVAL, 0 },
	{ "1 ", 65535, -EINVAL, 0 },
	{ "1a", 65535, -EINVAL, 0 },
	{ "0x10", 65535, -EINVAL, 0 },
	{ "1e3", 65535, -EINVAL, 0 },
	{ "1.0", 65535, -EINVAL, 0 },
	{ "/", 65535, -EINVAL, 0 },
	{ ":", 65535, -EINVAL, 0 },
	{ "\xd9\xa1", 65535, -EINVAL, 0 }, /* an Arabic 1 */
	/* not a number: its form is wrong, not its size */
	{ "99999999999999999999999x", 65535, -EINVAL, 0 },
};

static void check_number(const char *text, unsigned long max, int err, unsigned long expected)
{
	unsigned long value = 4711;

	if (number_parse(text, strlen(text), max, &value) != err ||
	    value != (err ? 4711 : expected))
		fail_msg("\"%s\", at most %lu: %lu", text, max, value);
}

static void test_number_parse(void **state)
{
	unsigned long value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		check_number(numbers[i].text, numbers[i].max, numbers[i].err, numbers[i].value);
	/* Only the given length is read. */
	assert_int_equal(number_parse("123x", 2, 65535, &value), 0);
	assert_int_equal(value, 12);
	assert_int_equal(number_parse("123", 0, 65535, &value), -EINVAL);
}

/* Every maximum up to 300, with numbers below and above it. */
static void test_number_parse_at_every_maximum(void **state)
{
	(void)state;
	for (unsigned long max = 0; max < 300; max++) {
		for (unsigned long number = 0; number < 400; number++) {
			char text[8];

			snprintf(text, sizeof(text), "%lu", number);
			check_number(text, max, number > max ? -ERANGE : 0, number);
		}
	}
}

static void test_array_grows(void **state)
{
	cleanup_free int *array = NULL;
	size_t room = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(array_reserve(&array, &room, i, sizeof(*array)), 0);
		assert_true(room > (size_t)i);
		array[i] = i;
	}
	for (int i = 0; i < 10000; i++)
		assert_int_equal(array[i], i);
}

#ifndef __SANITIZE_ADDRESS__ /* it reports so large an allocation as an error */
/* An array that cannot grow stays unchanged. */
static void test_array_that_cannot_grow_is_unchanged(void **state)
{
	size_t before = SIZE_MAX / 8, room = before;
	cleanup_free char *array = strdup("kept");
	char *pointer = array;

	(void)state;
	assert_int_equal(array_reserve(&pointer, &room, before, 64), -ENOMEM);
	assert_ptr_equal(pointer, array);
	assert_int_equal(room, before);
	assert_string_equal(array, "kept");
}
#endif

static void test_env_or(void **state)
{
	(void)state;
	unsetenv("PORTCTL_UNIT");
	assert_string_equal(env_or("PORTCTL_UNIT", "otherwise"), "otherwise");
	setenv("PORTCTL_UNIT", "", 1);
	assert_string_equal(env_or("PORTCTL_UNIT", "otherwise"), "otherwise");
	setenv("PORTCTL_UNIT", "set", 1);
	assert_string_equal(env_or("PORTCTL_UNIT", "otherwise"), "set");
}

static const struct {
	const char *text;
	unsigned long max;
	int err;
	unsigned int seconds;
} times[] = {
	{ "1s", 3600, 0, 1 },	       { "3600s", 3600, 0, 3600 },
	{ "3601s", 3600, -ERANGE, 0 }, { "60m", 3600, 0, 3600 },
	{ "61m", 3600, -ERANGE, 0 },   { "1h", 3600, 0, 3600 },
	{ "1d", 86400, 0, 86400 },     { "1d", 86399, -ERANGE, 0 },
	{ "0s", 3600, -ERANGE, 0 },    { "", 3600, -EINVAL, 0 },
	{ "s", 3600, -EINVAL, 0 },     { "5", 3600, -EINVAL, 0 },
	{ "5w", 3600, -EINVAL, 0 },    { "1m30s", 3600, -EINVAL, 0 },
};

static void test_time_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		unsigned int seconds = 4711;
		int err = time_parse(times[i].text, strlen(times[i].text), times[i].max,
				     &seconds);

		if (err != times[i].err || seconds != (err ? 4711 : times[i].seconds))
			fail_msg("\"%s\", at most %lu: %d, %u", times[i].text, times[i].max,
				 err, seconds);
	}
}

static int compare_ints(const void *left, const void *right)
{
	return *(const int *)left - *(const int *)right;
}

/* Arrays that are sorted already, and arrays with one element in a wrong place. */
static void test_array_sort(void **state)
{
	(void)state;
	for (int wrong = 0; wrong < 10; wrong++) {
		int array[10];

		for (int i = 0; i < 10; i++)
			array[i] = i;
		array[wrong] = array[9 - wrong];
		array[9 - wrong] = wrong;
		array_sort(array, 10, sizeof(*array), compare_ints);
		for (int i = 0; i < 10; i++)
			assert_int_equal(array[i], i);
	}
	array_sort(NULL, 0, sizeof(int), compare_ints);
}

static void test_text_index(void **state)
{
	static const char *const table[] = { "one", "two", "three" };

	(void)state;
	assert_int_equal(text_index(table, 3, "one"), 0);
	assert_int_equal(text_index(table, 3, "three"), 2);
	assert_int_equal(text_index(table, 3, "thr"), 3);
	assert_int_equal(text_index(table, 3, ""), 3);
	assert_int_equal(text_index(table, 0, "one"), 0);
}

static const struct {
	const char *text;
	const char *hidden; /* by text_hide_controls() */
	const char *cleaned; /* by text_clean() */
	bool showable;
} texts[] = {
	{ "", "", "", true },
	{ "plain", "plain", "plain", true },
	{ "a\tb\n\x7f", "a?b??", "a?b??", false },
	{ "\033[31mred", "?[31mred", "?[31mred", false },
	{ "\xc3\xa9", "\xc3\xa9", "??", true }, /* é */
	{ "\xc2\x9b"
	  "31m",
	  "??31m", "??31m", false }, /* U+009B, a control character */
	{ "\xc2\xa0", "\xc2\xa0", "??", true }, /* U+00A0 */
	{ "\xff", "\xff", "?", false }, /* not UTF-8 */
};

static void test_texts_are_made_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_free char *hidden = text_shown(texts[i].text);
		cleanup_free char *cleaned = strdup(texts[i].text);

		text_clean(cleaned);
		assert_string_equal(hidden, texts[i].hidden);
		assert_string_equal(cleaned, texts[i].cleaned);
		assert_int_equal(text_is_showable(texts[i].text), texts[i].showable);
		assert_int_equal(text_has_controls(texts[i].text),
				 !!strcmp(texts[i].text, texts[i].hidden));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number_parse),
		cmocka_unit_test(test_number_parse_at_every_maximum),
		cmocka_unit_test(test_time_parse),
		cmocka_unit_test(test_array_grows),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_array_that_cannot_grow_is_unchanged),
#endif
		cmocka_unit_test(test_array_sort),
		cmocka_unit_test(test_env_or),
		cmocka_unit_test(test_text_index),
		cmocka_unit_test(test_texts_are_made_safe),
	};

	return run_suite("base", tests);
}
