/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of ports, protocols, classes, verdicts and lines. */
#ifndef NAMES_H
#define NAMES_H

#include <linux/types.h>

#include "portctl/entry.h"
#include "portctl/key.h"

/* Bits of a set of transport protocols. */
enum transport {
	TRANSPORT_TCP = 1,
	TRANSPORT_UDP = 2,
	TRANSPORT_BOTH = 3,
};

/* "tcp" or "udp", from a port key (enum key, below PORT_KEYS). */
const char *key_protocol(__u32 key);

/* The port of a port key, host byte order. */
__u16 key_port(__u32 key);

/*
 * The service that the services database (services(5)) lists for a port key;
 * NULL where there is none. The string lives as long as the program.
 */
const char *service_name(__u32 key);

/*
 * The port that the services database lists under `name` for one transport
 * protocol, host byte order, or -ENOENT.
 */
int service_port(const char *name, enum transport transport);

/* Number of an IP protocol by its name (protocols(5)), or -ENOENT. */
int protocol_number(const char *name);

/* "well-known", "registered" or "dynamic" (RFC 6335, section 6). */
const char *port_class(__u16 port);

/* "pass", "drop", "reject": how a verdict is called in output. */
const char *verdict_name(enum verdict verdict);

/* "allow", "drop", "reject": how a verdict is called in rules. */
const char *action_name(enum verdict verdict);

/* Verdict of an action's name, or VERDICT_UNSET. */
enum verdict action_verdict(const char *name);

/* Name of a built-in line (below LINES_BUILTIN), as in "default". */
const char *line_name(enum line line);

/* The line of packets that no rule names, by what the default is. */
enum line default_line(enum verdict fallback);

/* The one verdict of a built-in line. */
enum verdict line_verdict(enum line line);

#endif
