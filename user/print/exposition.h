/* SPDX-License-Identifier: GPL-2.0-only */
/* The two formats that Prometheus reads, and how a client chooses one (HTTP's Accept). */
#ifndef EXPOSITION_H
#define EXPOSITION_H

enum exposition {
	EXPOSITION_TEXT, /* Prometheus text format 0.0.4 */
	EXPOSITION_OPENMETRICS, /* OpenMetrics 1.0.0 */
	EXPOSITIONS,
};

/*
 * The format that an Accept header asks for (RFC 9110, section 12.5.1); `accept` is NULL if
 * there is no header. OpenMetrics only if the client names it and does not prefer text.
 */
enum exposition exposition_choose(const char *accept);

/* The Content-Type of a format. */
const char *exposition_type(enum exposition exposition);

#endif
