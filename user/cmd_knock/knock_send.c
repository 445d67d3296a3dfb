// SPDX-License-Identifier: GPL-2.0-only
/* The client of signed knocks, and new keys for it. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "cmd/command.h"
#include "base/log.h"
#include "rules/prefix.h"
#include "base/secret.h"
#include "rules/signing.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"

static char *put_hex(char *to, const __u8 *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	return to;
}

/* Not by way of stdio, whose buffer would keep it. */
static int print_key(const char *name, const struct signing_key *key)
{
	char line[KEY_NAME_MAX + 2 * (sizeof(key->key) + sizeof(key->server)) + 4];
	char *end = stpcpy(stpcpy(line, name), " ");
	int err;

	end = stpcpy(put_hex(end, key->key, sizeof(key->key)), " ");
	end = stpcpy(put_hex(end, key->server, sizeof(key->server)), "\n");
	err = write_all(STDOUT_FILENO, line, end - line);
	explicit_bzero(line, sizeof(line));
	return err ? fail(err, "cannot write the output") : 0;
}

int knock_key(const struct command *command, int argc, char **argv)
{
	struct signing_key key;
	int err;

	if (argc != 2)
		return command_usage(command);
	if (!*argv[1] || strlen(argv[1]) > KEY_NAME_MAX || argv[1][strcspn(argv[1], " #")] ||
	    !text_is_showable(argv[1])) {
		text_clean(argv[1]);
		fail(-EINVAL, "argv: found \"%s\", expected a name without blanks", argv[1]);
		return EXIT_REFUSED;
	}
	secrets_begin();
	if (getrandom(&key, sizeof(key), 0) != sizeof(key)) {
		fail(-EIO, "no random numbers: %s", strerror(errno));
		return EXIT_REFUSED;
	}
	err = print_key(argv[1], &key);
	explicit_bzero(&key, sizeof(key));
	return err ? EXIT_REFUSED : EXIT_DONE;
}

/* What "knock send" was told. */
struct sending {
	const char *key;
	const char *port;
	int family;
	struct signed_knock knock;
};

static int set_address(struct sending *sending, const char *text)
{
	struct prefix prefix;

	if (address_parse(text, &prefix))
		return fail(-EINVAL, "argv: --address: found \"%s\", expected an address",
			    text);
	sending->knock.family = prefix.family;
	memcpy(sending->knock.address, prefix.address, sizeof(sending->knock.address));
	return 0;
}

static int set_seconds(struct sending *sending, const char *text)
{
	unsigned int seconds;

	if (time_parse(text, strlen(text), 365 * 86400, &seconds))
		return fail(-EINVAL, "argv: --for: found \"%s\", expected a time, as in 30s",
			    text);
	sending->knock.seconds = htonl(seconds);
	return 0;
}

/* getaddrinfo(3) takes the names of services, but of a number only what fits into a port. */
static int set_port(struct sending *sending, const char *text)
{
	unsigned long port;

	if (number_parse(text, strlen(text), 65535, &port) == -ERANGE)
		return fail(-EINVAL, "argv: --port: found \"%s\", expected a port", text);
	sending->port = text;
	return 0;
}

static int set_option(struct sending *sending, int option)
{
	switch (option) {
	case 'k':
		sending->key = optarg;
		return 0;
	case 'p':
		return set_port(sending, optarg);
	case 'f':
		return set_seconds(sending, optarg);
	case 'a':
		return set_address(sending, optarg);
	case 'c':
	case 'e':
		sending->knock.action = option == 'c' ? SIGNED_CLOSE : SIGNED_EXTEND;
		return 0;
	case '4':
	case '6':
		sending->family = option == '4' ? AF_INET : AF_INET6;
		return 0;
	}
	return -EINVAL;
}

static int send_to(const struct addrinfo *address, const struct sending *sending)
{
	cleanup_close int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || sendto(fd, &sending->knock, sizeof(sending->knock), 0, address->ai_addr,
			     address->ai_addrlen) != sizeof(sending->knock))
		return -errno;
	return 0;
}

static int send_knock(const struct sending *sending, const char *host)
{
	struct addrinfo hints = { .ai_family = sending->family, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found;
	int err = getaddrinfo(host, sending->port, &hints, &found);

	if (err)
		return fail(-ENOENT, "cannot find %s port %s: %s", host, sending->port,
			    gai_strerror(err));
	err = send_to(found, sending);
	freeaddrinfo(found);
	return err ? fail(err, "cannot send to %s: %s", host, strerror(-err)) : 0;
}

/* Signs with the first key of the file that may open the door. */
static int sign_and_send(struct sending *sending, const char *host, const char *door)
{
	struct signing_key *keys;
	size_t count, i = 0;
	int err = keys_read(sending->key, &keys, &count);

	while (!err && i < count && !key_opens(&keys[i], door))
		i++;
	if (!err && i == count)
		err = fail(-ENOENT, "%s has no key for \"%s\"", sending->key, door);
	if (!err) {
		sending->knock.door = door_number(door);
		sign(&sending->knock, &keys[i], utc_now());
		err = send_knock(sending, host);
	}
	keys_free(keys, count);
	return err;
}

int knock_send(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "port", required_argument, NULL, 'p' },
		{ "for", required_argument, NULL, 'f' },
		{ "address", required_argument, NULL, 'a' },
		{ "close", no_argument, NULL, 'c' },
		{ "extend", no_argument, NULL, 'e' },
		{ "ipv4", no_argument, NULL, '4' },
		{ "ipv6", no_argument, NULL, '6' },
		{ 0 },
	};
	struct sending sending = { .port = "62201", .knock.action = SIGNED_OPEN };
	int option;

	while ((option = getopt_long(argc, argv, "46", options, NULL)) != -1) {
		if (set_option(&sending, option))
			return option == '?' ? command_usage(command) : EXIT_REFUSED;
	}
	if (argc - optind != 2 || !sending.key)
		return command_usage(command);
	return sign_and_send(&sending, argv[optind], argv[optind + 1]) ? EXIT_REFUSED
								       : EXIT_DONE;
}
