// SPDX-License-Identifier: GPL-2.0-only
/* Any rules that parse and pass the check are compiled for an interface, or refused. */
#include <errno.h>

#include "compile/compile.h"
#include "fuzz.h"
#include "rules/ruleset.h"
#include "compile/check.h"
#include "compile/image.h"
#include "compile/lines.h"
#include "rules/ruleset_parse.h"

static void compile_for(const struct ruleset *ruleset, const char *iface)
{
	struct image *image = calloc(1, sizeof(*image));
	int err = image ? compile(ruleset, iface, image, NULL) : -ENOMEM;

	if (err && err != -E2BIG && err != -ENOMEM)
		abort();
	/* Every entry must be written: packets of an unwritten one drop as LINE_UNSET. */
	for (__u32 key = 0; key < KEYS_USED && !err; key++) {
		entry_t entry = image->table.entries[key];

		if (entry_has_detail(entry) ? entry_line(entry) >= image->detail_count : !entry)
			abort();
	}
	if (image)
		image_clear(image);
	free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report = { .out = nowhere(), .file = "input" };
	char *text = input_text(data, size);
	struct ruleset ruleset, none;

	if (!text)
		return 0;
	ruleset_init(&ruleset);
	ruleset_init(&none);
	if (!ruleset_parse(&ruleset, text, &report) && !ruleset_check(&ruleset, 0, &report) &&
	    !assign_lines(&ruleset, &none))
		compile_for(&ruleset, "eth0");
	ruleset_clear(&ruleset);
	free(text);
	return 0;
}
