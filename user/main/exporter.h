/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "portctl export" is two processes. One serves HTTP; it runs as nobody, without privileges.
 * The other, the collector, reads the maps, and talks to the first only, by a socket pair:
 * the request is one byte, the reply is struct reply and a text.
 */
#ifndef EXPORTER_H
#define EXPORTER_H

#include <stddef.h>

/* The request byte. */
enum request {
	REQUEST_READY = 'r', /* the HTTP server is listening; has no reply */
	REQUEST_TEXT = 't', /* metrics in the text format */
	REQUEST_OPENMETRICS = 'o', /* metrics in the OpenMetrics format */
	REQUEST_HEALTH = 'h',
};

struct reply {
	unsigned int status; /* HTTP status code */
	size_t size; /* bytes of text that follow */
};

/*
 * Replies to requests until the other process ends. Prints `address`, where HTTP is served,
 * once the HTTP server listens. Returns a negative errno.
 */
int collector_run(int socket, size_t max_ports, const char *address);

/* Serves HTTP on a listening socket until something fails. Returns a negative errno. */
int http_run(int listener, int collector);

/* Connections at a time. With one more the oldest is closed. */
#define HTTP_CONNECTIONS 48

#endif
