// SPDX-License-Identifier: GPL-2.0-only
#include "advise/doctor.h"

#include <stdarg.h>

#include "base/utf8.h"

static const char *const level_names[] = {
	[LEVEL_OK] = "ok",
	[LEVEL_NOTE] = "note",
	[LEVEL_WARN] = "warn",
	[LEVEL_FAIL] = "fail",
};

void doctor_report(struct doctor *doctor, enum level level, const char *topic,
		   const char *advice, const char *format, ...)
{
	va_list arguments;
	json_t *text;

	va_start(arguments, format);
	text = format_json_list(format, arguments);
	va_end(arguments);
	json_array_append_new(doctor->findings,
			      json_pack("{s:s, s:s, s:o, s:o, s:o}", "level",
					level_names[level], "topic", topic, "interface",
					text_json(doctor->iface), "text", text ?: json_null(),
					"advice", text_json(advice)));
	doctor->failed |= level == LEVEL_FAIL;
}
