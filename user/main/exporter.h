/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `export` is two processes. One speaks HTTP with whoever comes; it is nobody and
 * can do nothing else. The other reads the maps and speaks with the first only, by
 * a socket: one byte asks, struct reply and a text answer.
 */
#ifndef EXPORTER_H
#define EXPORTER_H

#include <stddef.h>

/* What is asked for. */
enum question {
	ASK_READY = 'r', /* no question: it listens now */
	ASK_TEXT = 't', /* the metrics, in one format or the other */
	ASK_OPENMETRICS = 'o',
	ASK_HEALTH = 'h',
};

struct reply {
	unsigned int status; /* of HTTP */
	size_t size; /* bytes of text that follow */
};

/* Answers questions until the other process ends; returns why, a negative errno. */
int collector_run(int socket, size_t max_ports, const char *address);

/* Speaks HTTP on a listening socket until something fails; returns a negative errno. */
int http_run(int listener, int collector);

/* Connections at a time; with one more the oldest is closed. */
#define HTTP_CONNECTIONS 48

#endif
