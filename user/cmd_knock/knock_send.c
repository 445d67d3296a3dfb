// SPDX-License-Identifier: GPL-2.0-only
/* knock send: the client of signed knocks. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "cli/command.h"
#include "rules/signing.h"

#define SECONDS_MAX (365 * 86400)
#define DEFAULT_PORT "62201"

struct send {
	const char *key;
	const char *port;
	unsigned int seconds; /* of the grant; 0: as the knock gives */
	struct prefix address; /* to let in; family 0: the one the datagram comes from */
	int action; /* enum signed_action */
	int family;
};

/* getaddrinfo(3) would also take the name of a service, and the low 16 bits of a number. */
static int send_parse_port(void *values, const char *argument)
{
	struct send *send = values;
	unsigned long port;

	if (number_parse(argument, strlen(argument), 65535, &port) == -ERANGE)
		return fail(EXIT_REFUSED,
			    "argv: --port: found \"%s\", expected a port of at most 65535",
			    argument);
	send->port = argument;
	return EXIT_DONE;
}

static int send_parse_time(void *values, const char *argument)
{
	struct send *send = values;

	if (time_parse(argument, strlen(argument), SECONDS_MAX, &send->seconds))
		return fail(EXIT_REFUSED,
			    "argv: --for: found \"%s\", expected a time of at most a year, as "
			    "in 30s",
			    argument);
	return EXIT_DONE;
}

static const struct cli_option send_options[] = {
	{ "key", 0, "FILE", "sign with the first key in FILE that may open NAME",
	  CLI_TEXT(struct send, key) },
	{ "port", 0, "PORT", "send to this UDP port (" DEFAULT_PORT ")",
	  CLI_CALL(send_parse_port) },
	{ "for", 0, "TIME",
	  "ask for a grant of TIME; the time of the knock itself is the limit",
	  CLI_CALL(send_parse_time) },
	{ "address", 0, "ADDRESS",
	  "ask for a grant for ADDRESS, not for the address that the datagram comes from",
	  CLI_ADDRESS(struct send, address) },
	{ "close", 0, NULL, "end the grant", CLI_VALUE(struct send, action, SIGNED_CLOSE) },
	{ "extend", 0, NULL, "extend the grant",
	  CLI_VALUE(struct send, action, SIGNED_EXTEND) },
	{ "ipv4", '4', NULL, "send by IPv4", CLI_VALUE(struct send, family, AF_INET) },
	{ "ipv6", '6', NULL, "send by IPv6", CLI_VALUE(struct send, family, AF_INET6) },
	{ 0 },
};

static int send_to(const struct addrinfo *address, const struct signed_knock *knock)
{
	cleanup_close int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || sendto(fd, knock, sizeof(*knock), 0, address->ai_addr,
			     address->ai_addrlen) != sizeof(*knock))
		return -errno;
	return 0;
}

static int send_knock(const struct send *send, const struct signed_knock *knock,
		      const char *host)
{
	struct addrinfo hints = { .ai_family = send->family, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found;
	int err = getaddrinfo(host, send->port, &hints, &found);

	if (err)
		return fail(-ENOENT, "cannot find %s port %s: %s", host, send->port,
			    gai_strerror(err));
	err = send_to(found, knock);
	freeaddrinfo(found);
	return err ? fail(err, "cannot send to %s: %s", host, strerror(-err)) : 0;
}

static int sign_and_send(const struct send *send, const char *host, const char *name)
{
	struct signed_knock knock = {
		.action = send->action,
		.family = send->address.family,
		.seconds = htonl(send->seconds),
		.door = door_number(name),
	};
	struct signing_key *keys;
	size_t count, i = 0;
	int err = keys_read(send->key, &keys, &count);

	memcpy(knock.address, send->address.address, sizeof(knock.address));
	while (!err && i < count && !key_opens(&keys[i], name))
		i++;
	if (!err && i == count)
		err = fail(-ENOENT, "%s has no key for \"%s\"", send->key, name);
	if (!err) {
		sign(&knock, &keys[i], utc_now());
		err = send_knock(send, &knock, host);
	}
	keys_free(keys, count);
	return err;
}

static int knock_send_run(const struct command *command, int argc, char **argv)
{
	struct send send = { .port = DEFAULT_PORT, .action = SIGNED_OPEN };
	int status = command_parse(command, &argc, argv, &send);

	if (status)
		return status;
	if (!send.key)
		return command_usage(command);
	return sign_and_send(&send, argv[1], argv[2]) ? EXIT_REFUSED : EXIT_DONE;
}

const struct command knock_send_entry = {
	.name = "knock send",
	.arguments = "HOST NAME --key FILE [--port PORT] [--for TIME] [--address ADDRESS] "
		     "[--close|--extend] [-4|-6]",
	.summary = "Send a signed knock to a host",
	.help = "NAME is the name of the knock at HOST. Needs no privileges.",
	.examples = "  portctl knock send HOST ssh --key alice.key\n",
	.options = send_options,
	.words = { 2, 2 },
	.run = knock_send_run,
	.privileges = PRIVILEGES_NONE,
};
