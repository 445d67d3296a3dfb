// SPDX-License-Identifier: GPL-2.0-only
#include "cli/rules_file.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "compile/check.h"
#include "rules/ruleset_parse.h"
#include "host/connections.h"

int rules_file_text(const char *path, char **text)
{
	size_t size;
	int err = file_read(path, text, &size);

	if (err == -EILSEQ)
		return fail(err, "%s is not text: it has NUL bytes", path);
	return err ? fail(err, "cannot read %s: %s", path, strerror(-err)) : 0;
}

void rules_file_listeners(struct report *report)
{
	static unsigned char listening[PORT_KEYS];

	report->listening = connections_listening(listening) ? NULL : listening;
}

int rules_file_parse(const char *path, const char *text, struct ruleset *ruleset,
		     FILE *messages)
{
	cleanup_free char *name = text_shown(path);
	struct report report = { .out = messages, .file = name ?: "?" };
	int err;

	rules_file_listeners(&report);
	err = ruleset_parse(ruleset, text, &report) ?: ruleset_check(ruleset, 0, &report);
	return err == -ENOMEM ? out_of_memory() : err;
}

int rules_file_read(const char *path, struct ruleset *ruleset)
{
	cleanup_free char *text = NULL;

	return rules_file_text(path, &text) ?: rules_file_parse(path, text, ruleset, stderr);
}
