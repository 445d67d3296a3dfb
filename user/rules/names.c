// SPDX-License-Identifier: GPL-2.0-only
#include "rules/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>

#include "base/array.h"

/*
 * The services database, read once. Output looks up as many as 131,072 keys, and
 * getservbyport() would read the whole file for each.
 */
static const char *services[PORT_KEYS];
static bool services_read;

static void read_services(void)
{
	struct servent *entry;

	services_read = true;
	setservent(1);
	while ((entry = getservent())) {
		__u32 key = ntohs(entry->s_port);

		if (!strcmp(entry->s_proto, "udp"))
			key += PORT_KEY_UDP;
		else if (strcmp(entry->s_proto, "tcp"))
			continue;
		if (!services[key])
			services[key] = strdup(entry->s_name);
	}
	endservent();
}

const char *key_protocol(__u32 key)
{
	return key < PORT_KEY_UDP ? "tcp" : "udp";
}

__u16 key_port(__u32 key)
{
	return key & 0xFFFF;
}

const char *service_name(__u32 key)
{
	if (!services_read)
		read_services();
	return services[key];
}

int service_port(const char *name, enum transport transport)
{
	struct servent *entry = getservbyname(name, transport == TRANSPORT_TCP ? "tcp" : "udp");

	return entry ? ntohs(entry->s_port) : -ENOENT;
}

int protocol_number(const char *name)
{
	struct protoent *entry = getprotobyname(name);

	return entry && entry->p_proto < 256 ? entry->p_proto : -ENOENT;
}

const char *port_class(__u16 port)
{
	if (port < 1024)
		return "well-known";
	return port < 49152 ? "registered" : "dynamic";
}

static const struct {
	const char *verdict;
	const char *action;
} verdicts[] = {
	[VERDICT_UNSET] = { "unset", "unset" },
	[VERDICT_DROP] = { "drop", "drop" },
	[VERDICT_PASS] = { "pass", "allow" },
	[VERDICT_REJECT] = { "reject", "reject" },
};

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict].verdict;
}

const char *action_name(enum verdict verdict)
{
	return verdicts[verdict].action;
}

enum verdict action_verdict(const char *name)
{
	for (enum verdict v = VERDICT_DROP; v <= VERDICT_REJECT; v++) {
		if (!strcmp(name, verdicts[v].action))
			return v;
	}
	return VERDICT_UNSET;
}

static const struct {
	const char *name;
	enum verdict verdict;
} lines[] = {
	[LINE_UNSET] = { "unset", VERDICT_DROP },
	[LINE_NOT_IP] = { "not-ip", VERDICT_PASS },
	[LINE_MALFORMED] = { "malformed", VERDICT_DROP },
	[LINE_FRAGMENT_PASS] = { "fragment", VERDICT_PASS },
	[LINE_FRAGMENT_DROP] = { "fragment", VERDICT_DROP },
	[LINE_DEFAULT_PASS] = { "default", VERDICT_PASS },
	[LINE_DEFAULT_DROP] = { "default", VERDICT_DROP },
	[LINE_DEFAULT_REJECT] = { "default", VERDICT_REJECT },
	[LINE_REPLY] = { "reply", VERDICT_PASS },
	[LINE_ERROR] = { "icmp-errors", VERDICT_PASS },
	[LINE_NEIGHBOUR] = { "neighbours", VERDICT_PASS },
	[LINE_ECHO] = { "echo", VERDICT_PASS },
	[LINE_ECHO_LIMITED] = { "echo limited", VERDICT_DROP },
	[LINE_DHCP] = { "dhcp", VERDICT_PASS },
	[LINE_REMOVED_PASS] = { "removed", VERDICT_PASS },
	[LINE_REMOVED_DROP] = { "removed", VERDICT_DROP },
	[LINE_KNOCK] = { "knock", VERDICT_DROP },
};
_Static_assert(ARRAY_SIZE(lines) == LINES_BUILTIN, "a name for every built-in line");

const char *line_name(enum line line)
{
	return lines[line].name;
}

enum line default_line(enum verdict fallback)
{
	if (fallback == VERDICT_PASS)
		return LINE_DEFAULT_PASS;
	return fallback == VERDICT_DROP ? LINE_DEFAULT_DROP : LINE_DEFAULT_REJECT;
}

enum verdict line_verdict(enum line line)
{
	return lines[line].verdict;
}
