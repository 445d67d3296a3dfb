// SPDX-License-Identifier: GPL-2.0-only
#include "base/number.h"

#include <errno.h>

#include "base/array.h"

char *digits_before(char *end, __u64 number)
{
	do
		*--end = '0' + number % 10;
	while (number /= 10);
	return end;
}

int number_parse(const char *text, size_t length, unsigned long max, unsigned long *value)
{
	unsigned long number = 0;

	if (!length)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned long digit = text[i] - '0';

		if (digit > max || number > (max - digit) / 10)
			return -ERANGE;
		number = number * 10 + digit;
	}
	*value = number;
	return 0;
}

int time_parse(const char *text, size_t length, unsigned long max, unsigned int *seconds)
{
	static const struct {
		char letter;
		unsigned int seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	unsigned long number;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(units) && length; i++) {
		if (text[length - 1] != units[i].letter)
			continue;
		err = number_parse(text, length - 1, max / units[i].seconds, &number);
		if (err || !number)
			return err ?: -ERANGE;
		*seconds = number * units[i].seconds;
		return 0;
	}
	return -EINVAL;
}
