// SPDX-License-Identifier: GPL-2.0-only
/* row_number() and row_text() must print what printf() prints. */
#include "unit.h"

#include "random.h"
#include "base/row.h"

struct printed {
	char *text;
	size_t size;
	FILE *out;
};

static void printed_open(struct printed *printed)
{
	printed->out = open_memstream(&printed->text, &printed->size);
	assert_non_null(printed->out);
}

static void assert_same(struct printed *got, struct printed *expected)
{
	assert_int_equal(fclose(got->out), 0);
	assert_int_equal(fclose(expected->out), 0);
	assert_int_equal(got->size, expected->size);
	assert_memory_equal(got->text, expected->text, got->size);
	free(got->text);
	free(expected->text);
}

static void test_numbers_as_printf(void **state)
{
	static const __u64 numbers[] = {
		0, 9, 10, 65535, 4294967295, 999999999999, 1000000000000, ~0ull,
	};
	struct printed got, expected;
	struct row row = { 0 };

	(void)state;
	printed_open(&got);
	printed_open(&expected);
	row.out = got.out;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (int width = 0; width <= 16; width++) {
			row_number(&row, numbers[i], width);
			fprintf(expected.out, "%*llu", width, numbers[i]);
		}
	}
	row_flush(&row);
	assert_same(&got, &expected);
}

/* Texts of all lengths, so that the buffer's end falls at every position of a text. */
static void test_texts_as_printf(void **state)
{
	enum { LONGEST = 3 * sizeof(((struct row *)0)->text) };
	struct printed got, expected;
	struct row row = { 0 };
	struct random random = { 1 };
	char text[LONGEST + 1];

	(void)state;
	printed_open(&got);
	printed_open(&expected);
	row.out = got.out;
	for (int round = 0; round < 2000; round++) {
		int length = random_below(&random, round % 10 ? 64 : LONGEST);
		int width = random_below(&random, 50);

		memset(text, 'a' + round % 26, length);
		text[length] = 0;
		row_text(&row, text, width);
		fprintf(expected.out, "%-*s", width, text);
	}
	row_flush(&row);
	assert_same(&got, &expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_as_printf),
		cmocka_unit_test(test_texts_as_printf),
	};

	return run_suite("row", tests);
}
