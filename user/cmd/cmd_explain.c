// SPDX-License-Identifier: GPL-2.0-only
/* explain: ask the data path how it would judge a packet. */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "advise/explain.h"
#include "portctl/protocol.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/number.h"
#include "cli/command.h"
#include "kernel/datapath_rules.h"
#include "kernel/datapath_trial.h"
#include "rules/prefix.h"

#define SOURCE_PORT 40000

struct question {
	const char *iface; /* NULL: the first that is attached and has a device */
	struct prefix to;
	__u8 flags;
	bool json;
	struct packet packet;
};

/* Takes "syn,ack" or "syn|ack". */
static int explain_parse_flags(void *values, const char *argument)
{
	static const char *const names[] = { "fin", "syn", "rst", "psh", "ack", "urg" };
	struct question *question = values;
	const char *at = argument;

	question->flags = 0;
	while (*at) {
		size_t length = strcspn(at, ",|"), i = 0;

		while (i < ARRAY_SIZE(names) &&
		       (strlen(names[i]) != length || strncasecmp(names[i], at, length)))
			i++;
		if (i == ARRAY_SIZE(names))
			return fail(EXIT_REFUSED,
				    "argv: --flags: found \"%s\", expected some of fin, syn, "
				    "rst, psh, ack and urg, with commas",
				    argument);
		question->flags |= 1 << i;
		at += length + (at[length] != 0);
	}
	return EXIT_DONE;
}

static const struct cli_option explain_options[] = {
	{ "on", 0, "IFACE", "the packet arrives on IFACE; default: the first that is attached",
	  CLI_TEXT(struct question, iface) },
	{ "to", 0, "ADDRESS",
	  "the packet goes to ADDRESS; default: an address of the interface",
	  CLI_ADDRESS(struct question, to) },
	{ "flags", 0, "syn,ack,...", "its TCP flags: fin, syn, rst, psh, ack, urg (syn)",
	  CLI_CALL(explain_parse_flags) },
	{ CLI_JSON(struct question, json) },
	{ 0 },
};

static int parse_source_address(const char *text, struct prefix *address)
{
	if (address_parse(text, address))
		return fail(-EINVAL, "argv: found \"%s\", expected an address", text);
	return 0;
}

/* Parses "192.0.2.1:40000", "[2001:db8::1]:40000", or an address alone. */
static int explain_parse_source(const char *text, struct packet *packet)
{
	const char *colon = strrchr(text, ':');
	bool brackets = *text == '[';
	bool port = colon && (brackets ? colon[-1] == ']' : strchr(text, ':') == colon);
	size_t length = port ? (size_t)(colon - text) : strlen(text);
	cleanup_free char *address = NULL;
	unsigned long number = SOURCE_PORT;

	if (brackets && (length < 2 || text[length - 1] != ']'))
		return fail(-EINVAL, "argv: found \"%s\", expected an address", text);
	address = strndup(text + brackets, length - 2 * brackets);
	if (!address)
		return out_of_memory();
	if (port && number_parse(colon + 1, strlen(colon + 1), 65535, &number))
		return fail(-EINVAL, "argv: found \"%s\", expected a port behind the address",
			    colon + 1);
	packet->source_port = number;
	return parse_source_address(address, &packet->source);
}

/* Parses a port, of TCP unless it says otherwise, or a protocol without ports. */
static int explain_parse_port(const char *text, struct packet *packet)
{
	struct term terms[2];
	const char *expected;
	int count = term_parse(text, strlen(text), terms, &expected);

	if (count < 1 || terms[0].first != terms[0].last)
		return fail(-EINVAL, "argv: found \"%s\", %s", text,
			    count < 1 ? expected : "expected one port");
	packet->port = terms[0].first;
	packet->protocol = terms[0].protocol;
	if (terms[0].transports)
		packet->protocol =
			terms[0].transports & TRANSPORT_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	return 0;
}

/* A packet goes to a link-local address only if its source is link-local. */
static bool is_same_scope(const struct prefix *source, const struct in6_addr *address)
{
	struct in6_addr from; /* aligned, as in a prefix it is not */

	memcpy(&from, source->address, sizeof(from));
	return IN6_IS_ADDR_LINKLOCAL(&from) == IN6_IS_ADDR_LINKLOCAL(address);
}

/* The bytes of an address, if the packet could go there; else NULL. */
static const void *address_for(const struct packet *packet, const struct sockaddr *address)
{
	const struct sockaddr_in6 *ip6 = (const void *)address;
	const struct sockaddr_in *ip = (const void *)address;

	if (packet->source.family == 4 && address->sa_family == AF_INET)
		return &ip->sin_addr;
	if (packet->source.family == 6 && address->sa_family == AF_INET6 &&
	    is_same_scope(&packet->source, &ip6->sin6_addr))
		return &ip6->sin6_addr;
	return NULL;
}

/* Chooses the first fitting address of the device, else one that nobody has. */
static void choose_destination(struct packet *packet, const char *device)
{
	struct prefix *to = &packet->destination;
	const void *found = NULL;
	struct ifaddrs *all = NULL;

	*to = (struct prefix){ .family = packet->source.family,
			       .length = packet->source.length };
	memset(to->address, to->family == 4 ? 10 : 0xFD, sizeof(to->address));
	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *entry = all; entry && !found; entry = entry->ifa_next) {
		if (entry->ifa_addr && !strcmp(entry->ifa_name, device))
			found = address_for(packet, entry->ifa_addr);
	}
	if (found)
		memcpy(to->address, found, to->family == 4 ? 4 : 16);
	freeifaddrs(all);
}

static int explain_choose_interface(const struct datapath *dp, struct question *question)
{
	const struct interface *iface;

	if (!dp->count)
		return fail(-ENOENT,
			    "portctl is attached to no interface: portctl attach IFACE");
	if (!question->iface)
		question->iface = datapath_first(dp)->name;
	iface = datapath_interface(dp, question->iface);
	if (!iface)
		return fail(
			-ENOENT,
			"portctl is not attached to %s: \"portctl status\" lists where it is",
			question->iface);
	question->packet.destination = question->to;
	if (!question->to.family)
		choose_destination(&question->packet, iface->device);
	if (question->packet.destination.family != question->packet.source.family)
		return fail(-EINVAL, "argv: --to: expected an address of the source's family");
	return 0;
}

static int explain_judge(const struct datapath *dp, const struct question *question,
			 struct judgement *judgement)
{
	__u8 frame[FRAME_SIZE];
	size_t size = frame_build(&question->packet, frame);
	struct explainer *explainer;
	int err = explainer_open(dp, question->iface, &explainer);

	if (err)
		return err;
	err = explainer_judge(explainer, frame, size, judgement);
	explainer_free(explainer);
	return err;
}

static void explain_output(const json_t *explanation, bool json)
{
	if (!json) {
		explain_print(explanation, stdout);
		return;
	}
	json_dumpf(explanation, stdout, JSON_COMPACT);
	putchar('\n');
}

static int explain(struct question *question)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset ruleset;
	struct judgement judgement;
	json_t *explanation;
	int err;

	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_READ) ?: explain_choose_interface(&dp, question)
						?: datapath_ruleset(&dp, &ruleset)
						?: explain_judge(&dp, question, &judgement);
	if (err)
		return err;
	explanation = explain_json(&judgement, &question->packet, &ruleset, question->iface);
	if (!explanation)
		return out_of_memory();
	datapath_unlock(&dp);
	explain_output(explanation, question->json);
	json_decref(explanation);
	return 0;
}

static int explain_run(const struct command *command, int argc, char **argv)
{
	struct question question = { .flags = TCP_SYN };
	struct packet *packet = &question.packet;
	int err, status = command_parse(command, &argc, argv, &question);

	if (status)
		return status;
	packet->flags = question.flags;
	err = explain_parse_source(argv[1], packet) ?: explain_parse_port(argv[2], packet);
	if (!err && packet->source.family == 6 && is_extension(packet->protocol))
		err = fail(-EINVAL,
			   "argv: found \"%s\", which is an extension header of IPv6: expected "
			   "the port or protocol behind it, which decides",
			   argv[2]);
	err = err ?: explain(&question);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_explain_entry = {
	.name = "explain",
	.arguments = "SOURCE[:PORT] PORT",
	.summary = "Show how a packet would be judged, and what would change that",
	.help = "The data path itself judges the packet; nothing is counted or sent. PORT is the "
		"destination port (TCP, unless /udp follows) or an IP protocol.",
	.examples = "  portctl explain 198.51.100.7 8443\n"
		    "  portctl explain [2001:db8::1]:53 40000/udp --on eth0\n",
	.options = explain_options,
	.words = { 2, 2 },
	.run = explain_run,
	.privileges = PRIVILEGES_CHANGE,
};
