// SPDX-License-Identifier: GPL-2.0-only
#include "rules/report.h"

#include <stdarg.h>

void report_begin(struct report *report, enum severity severity, unsigned int row)
{
	if (severity == SEVERITY_ERROR)
		report->errors++;
	else
		report->warnings++;
	fprintf(report->out, "%s:%u:1: %s", report->file, report->unit ? 1 : row,
		severity == SEVERITY_WARNING ? "warning: " : "");
}

void report_rule(struct report *report, enum severity severity, unsigned int row,
		 const char *format, ...)
{
	va_list arguments;

	report_begin(report, severity, row);
	va_start(arguments, format);
	vfprintf(report->out, format, arguments);
	va_end(arguments);
	fputc('\n', report->out);
}

const char *report_unit(const struct report *report)
{
	return report->unit ?: "line";
}
