// SPDX-License-Identifier: GPL-2.0-only
#include "print/exposition.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Parses a qvalue: 0 to 1, in thousandths (it has at most three decimals). Invalid: 0. */
static int parse_quality(const char *text)
{
	char *end;
	double quality = strtod(text, &end);

	end += strspn(end, " \t");
	return *end || end == text || !(quality >= 0 && quality <= 1) ? 0 : quality * 1000;
}

/* One element of the header. */
struct accepted {
	const char *type;
	int quality; /* in thousandths */
	bool other_version; /* a version other than 1.0.0 is asked for */
};

static struct accepted parse_element(char *element)
{
	struct accepted accepted = { .quality = 1000 };
	char *parameter;

	accepted.type = strsep(&element, ";");
	while ((parameter = strsep(&element, ";"))) {
		parameter += strspn(parameter, " \t");
		if (!strncasecmp(parameter, "q=", 2))
			accepted.quality = parse_quality(parameter + 2);
		else if (!strncasecmp(parameter, "version=", 8))
			accepted.other_version = strncmp(parameter + 8, "1.0.0", 5) &&
						 strncmp(parameter + 8, "\"1.0.0\"", 7);
	}
	return accepted;
}

static bool is_type(const char *text, const char *type)
{
	size_t length = strlen(type);

	text += strspn(text, " \t");
	return !strncasecmp(text, type, length) && !text[length + strspn(text + length, " \t")];
}

enum exposition exposition_choose(const char *accept)
{
	int openmetrics = 0, text = 0;
	cleanup_free char *copy = strdup(accept ?: "");
	char *rest = copy, *element;

	while (copy && (element = strsep(&rest, ","))) {
		struct accepted accepted = parse_element(element);
		int quality = accepted.quality;

		if (is_type(accepted.type, "application/openmetrics-text") &&
		    !accepted.other_version)
			openmetrics = quality > openmetrics ? quality : openmetrics;
		else if (is_type(accepted.type, "text/plain"))
			text = quality > text ? quality : text;
	}
	return openmetrics && openmetrics >= text ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}

const char *exposition_type(enum exposition exposition)
{
	return exposition == EXPOSITION_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}
