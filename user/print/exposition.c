// SPDX-License-Identifier: GPL-2.0-only
/* Which format an Accept header asks for (RFC 9110, section 12.5.1). */
#include <stdlib.h>
#include <string.h>

#include "print/metrics.h"

/* Thousandths: a qvalue has three digits at most. What is no qvalue counts as 0. */
static int parse_quality(const char *text)
{
	char *end;
	double quality = strtod(text, &end);

	end += strspn(end, " \t");
	return *end || end == text || !(quality >= 0 && quality <= 1) ? 0 : quality * 1000;
}

/* One element of the header, taken apart. */
struct accepted {
	const char *type;
	int quality;
	bool other_version; /* of OpenMetrics: one that we do not write */
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

/* OpenMetrics only for who names it, and does not like the other better. */
enum exposition exposition_choose(const char *accept)
{
	int openmetrics = 0, text = 0;
	char *copy = strdup(accept ?: ""), *rest = copy, *element;

	while (copy && (element = strsep(&rest, ","))) {
		struct accepted accepted = parse_element(element);
		int quality = accepted.quality;

		if (is_type(accepted.type, "application/openmetrics-text") &&
		    !accepted.other_version)
			openmetrics = quality > openmetrics ? quality : openmetrics;
		else if (is_type(accepted.type, "text/plain"))
			text = quality > text ? quality : text;
	}
	free(copy);
	return openmetrics && openmetrics >= text ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}

const char *exposition_type(enum exposition exposition)
{
	return exposition == EXPOSITION_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}
