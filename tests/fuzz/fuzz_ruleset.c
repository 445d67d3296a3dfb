// SPDX-License-Identifier: GPL-2.0-only
/* Any text is parsed or refused; if parsed, printing and parsing again changes nothing. */
#include "fuzz.h"
#include "rules/ruleset.h"
#include "rules/ruleset_parse.h"

static char *print(const struct ruleset *ruleset)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ruleset_print(ruleset, out);
	fclose(out);
	return text;
}

static void check_print(const struct ruleset *ruleset)
{
	struct report report = { .out = nowhere(), .file = "again" };
	char *printed = print(ruleset), *again;
	struct ruleset read;

	ruleset_init(&read);
	if (ruleset_parse(&read, printed, &report))
		abort();
	again = print(&read);
	if (strcmp(printed, again))
		abort();
	ruleset_clear(&read);
	free(printed);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report = { .out = nowhere(), .file = "input" };
	char *text = input_text(data, size);
	struct ruleset ruleset;

	if (!text)
		return 0;
	ruleset_init(&ruleset);
	if (!ruleset_parse(&ruleset, text, &report))
		check_print(&ruleset);
	ruleset_clear(&ruleset);
	free(text);
	return 0;
}
