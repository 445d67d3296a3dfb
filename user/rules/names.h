/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of ports, services, IP protocols, verdicts and lines. */
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

/* The protocol, "tcp" or "udp", of a port key (enum key, below PORT_KEYS). */
const char *key_protocol(__u32 key);

/* The port of a port key, in host byte order. */
__u16 key_port(__u32 key);

/*
 * The service that the services database (services(5)) has for a port key; NULL: none. The
 * string lives as long as the program.
 */
const char *service_name(__u32 key);

/*
 * The port of the service `name` for one transport protocol in the services database, in host
 * byte order; -ENOENT: none.
 */
int service_port(const char *name, enum transport transport);

/* The number of an IP protocol by its name in protocols(5); -ENOENT: none. */
int protocol_number(const char *name);

/* The class of a port (RFC 6335, section 6): "well-known", "registered" or "dynamic". */
const char *port_class(__u16 port);

/* A verdict as output has it: "pass", "drop" or "reject". */
const char *verdict_name(enum verdict verdict);

/* A verdict as rules have it: "allow", "drop" or "reject". */
const char *action_name(enum verdict verdict);

/* The verdict of an action as rules have it; VERDICT_UNSET: none. */
enum verdict action_verdict(const char *name);

/* The name of a built-in line (below LINES_BUILTIN), as in "default". */
const char *line_name(enum line line);

/* The verdict of all packets that a built-in line counts. */
enum verdict line_verdict(enum line line);

/* The line that counts packets without a rule, if the default has that verdict. */
enum line default_line(enum verdict fallback);

#endif
