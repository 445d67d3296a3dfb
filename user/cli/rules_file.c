// SPDX-License-Identifier: GPL-2.0-only
#include "cli/rules_file.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "compile/compile.h"
#include "host/connections.h"

int rules_file_fail(int err, const char *path)
{
	if (err == -EILSEQ)
		return fail(err, "%s is not text: it has NUL bytes", path);
	return fail(err, "cannot read %s: %s", path, strerror(-err));
}

void rules_file_listeners(struct report *report)
{
	static unsigned char listening[PORT_KEYS];

	report->listening = connections_listening(listening) ? NULL : listening;
}

int rules_file_check(const char *path, struct ruleset *ruleset, FILE *messages)
{
	cleanup_free char *text = NULL, *name = text_shown(path);
	struct report report = { .out = messages, .file = name ?: "?" };
	size_t size;
	int err = file_read(path, &text, &size);

	if (err)
		return rules_file_fail(err, path);
	rules_file_listeners(&report);
	err = ruleset_parse(ruleset, text, &report);
	if (!err)
		err = ruleset_check(ruleset, 0, &report);
	return err == -ENOMEM ? out_of_memory() : err;
}

int rules_file_read(const char *path, struct ruleset *ruleset)
{
	return rules_file_check(path, ruleset, stderr);
}
