// SPDX-License-Identifier: GPL-2.0-only
/* explain: how a packet would be judged, asked of the data path itself. */
#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "cmd/command.h"
#include "advise/explain.h"
#include "base/log.h"
#include "kernel/datapath_rules.h"
#include "kernel/datapath_trial.h"
#include "rules/prefix.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/number.h"

#define SOURCE_PORT 40000

struct question {
	const char *iface; /* NULL: the first that is attached, and not gone */
	struct packet packet;
	bool json;
};

static int parse_address(const char *text, struct prefix *address)
{
	if (address_parse(text, address))
		return fail(-EINVAL, "argv: found \"%s\", expected an address", text);
	return 0;
}

/* "192.0.2.1:40000", "[2001:db8::1]:40000", or an address alone. */
static int parse_source(const char *text, struct packet *packet)
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
		return fail(-ENOMEM, "out of memory");
	if (port && number_parse(colon + 1, strlen(colon + 1), 65535, &number))
		return fail(-EINVAL, "argv: found \"%s\", expected a port behind the address",
			    colon + 1);
	packet->source_port = number;
	return parse_address(address, &packet->source);
}

/* A port is TCP's unless it says otherwise; a protocol has none. */
static int parse_port(const char *text, struct packet *packet)
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

/* "syn,ack" or "syn|ack". */
static int parse_flags(const char *text, struct packet *packet)
{
	static const char *const names[] = { "fin", "syn", "rst", "psh", "ack", "urg" };
	const char *at = text;

	packet->flags = 0;
	while (*at) {
		size_t length = strcspn(at, ",|"), i = 0;

		while (i < ARRAY_SIZE(names) &&
		       (strlen(names[i]) != length || strncasecmp(names[i], at, length)))
			i++;
		if (i == ARRAY_SIZE(names))
			return fail(-EINVAL,
				    "argv: --flags: found \"%s\", expected some of fin, syn, "
				    "rst, psh, ack and urg, with commas",
				    text);
		packet->flags |= 1 << i;
		at += length + (at[length] != 0);
	}
	return 0;
}

static int parse_options(int argc, char **argv, struct question *question)
{
	static const struct option options[] = {
		{ "on", required_argument, NULL, 'o' },
		{ "to", required_argument, NULL, 't' },
		{ "flags", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option, err = 0;

	while (!err && (option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == 'o')
			question->iface = optarg;
		else if (option == 't')
			err = parse_address(optarg, &question->packet.destination);
		else if (option == 'f')
			err = parse_flags(optarg, &question->packet);
		else if (option == 'j')
			question->json = true;
		else
			return -ENOEXEC; /* getopt has said why */
	}
	return err;
}

/* What comes from elsewhere than the link goes to no address that is the link's only. */
static bool is_answered_by(const struct prefix *source, const struct in6_addr *address)
{
	struct in6_addr from; /* in a prefix it is not aligned */

	memcpy(&from, source->address, sizeof(from));
	return IN6_IS_ADDR_LINKLOCAL(&from) == IN6_IS_ADDR_LINKLOCAL(address);
}

/* The address itself, if the packet may go to it; else NULL. */
static const void *address_for(const struct packet *packet, const struct sockaddr *address)
{
	const struct sockaddr_in6 *ip6 = (const void *)address;
	const struct sockaddr_in *ip = (const void *)address;

	if (packet->source.family == 4 && address->sa_family == AF_INET)
		return &ip->sin_addr;
	if (packet->source.family == 6 && address->sa_family == AF_INET6 &&
	    is_answered_by(&packet->source, &ip6->sin6_addr))
		return &ip6->sin6_addr;
	return NULL;
}

/* The first that the device has, whatever it is called now; else one of nobody's. */
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

static int choose_interface(const struct datapath *dp, struct question *question)
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
	if (!question->packet.destination.family)
		choose_destination(&question->packet, iface->device);
	if (question->packet.destination.family != question->packet.source.family)
		return fail(-EINVAL, "argv: --to: expected an address of the source's family");
	return 0;
}

static int judge(const struct datapath *dp, const struct question *question,
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

static void print(const json_t *explanation, bool json)
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
	struct judgement judgement;
	json_t *explanation = NULL;
	struct ruleset ruleset;
	struct datapath dp;
	int err;

	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_READ) ?: choose_interface(&dp, question);
	err = err ?: datapath_ruleset(&dp, &ruleset) ?: judge(&dp, question, &judgement);
	if (!err) {
		explanation =
			explain_json(&judgement, &question->packet, &ruleset, question->iface);
		err = explanation ? 0 : fail(-ENOMEM, "out of memory");
	}
	datapath_unlock(&dp);
	if (!err)
		print(explanation, question->json);
	json_decref(explanation);
	ruleset_clear(&ruleset);
	datapath_close(&dp);
	return err;
}

int cmd_explain(const struct command *command, int argc, char **argv)
{
	struct question question = { .packet.flags = TCP_SYN };
	int err = parse_options(argc, argv, &question);

	if (err == -ENOEXEC || (!err && argc - optind != 2))
		return command_usage(command);
	err = err ?: parse_source(argv[optind], &question.packet)
		  ?: parse_port(argv[optind + 1], &question.packet);
	if (!err && question.packet.source.family == 6 &&
	    is_extension(question.packet.protocol))
		err = fail(-EINVAL,
			   "argv: found \"%s\", which of IPv6 is a header before another one: "
			   "expected the port or protocol behind it, which is what is judged",
			   argv[optind + 1]);
	err = err ?: explain(&question);
	return err ? EXIT_REFUSED : EXIT_DONE;
}
