// SPDX-License-Identifier: GPL-2.0-only
/* export: from the command line to two processes, each with what it needs. */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "main/exporter.h"
#include "base/log.h"
#include "base/privileges.h"
#include "main/program.h"
#include "cli/rules_file.h"
#include "base/number.h"

#define ADDRESS_MAX 128

struct options {
	const char *address;
	unsigned long max_ports;
};

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "max-ports", required_argument, NULL, 'm' },
		{ 0 },
	};
	int option;

	*options = (struct options){ .address = "127.0.0.1:9847", .max_ports = 1000 };
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'l')
			options->address = optarg;
		else if (option != 'm')
			return -EINVAL;
		else if (number_parse(optarg, strlen(optarg), PORT_KEYS, &options->max_ports))
			return fail(-EINVAL,
				    "argv: --max-ports: found \"%s\", expected a number from "
				    "0 to %d",
				    optarg, PORT_KEYS);
	}
	return optind < argc ? -EINVAL : 0;
}

/* Takes "ADDRESS:PORT" apart, of IPv6 "[ADDRESS]:PORT". Names are not asked for. */
static int parse_address(const char *text, struct addrinfo **result)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					.ai_socktype = SOCK_STREAM };
	char host[ADDRESS_MAX];
	char *colon, *address = host;
	unsigned long port;

	if (snprintf(host, sizeof(host), "%s", text) >= (int)sizeof(host))
		return -EINVAL;
	colon = strrchr(host, ':');
	if (!colon || number_parse(colon + 1, strlen(colon + 1), 65535, &port))
		return -EINVAL;
	*colon = 0;
	if (*host == '[' && colon[-1] == ']') {
		address++;
		colon[-1] = 0;
	} else if (strchr(host, ':')) {
		return -EINVAL;
	}
	return !*address || getaddrinfo(address, colon + 1, &hints, result) ? -EINVAL : 0;
}

static int listen_there(const struct addrinfo *there)
{
	int one = 1, err;
	int fd = socket(there->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	    !bind(fd, there->ai_addr, there->ai_addrlen) && !listen(fd, HTTP_CONNECTIONS))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Where a socket listens, as it is written in a URL. */
static void print_address(int fd, char text[ADDRESS_MAX])
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof(address);
	char host[ADDRESS_MAX - 16] = "", port[8] = "";

	getsockname(fd, (void *)&address, &length);
	getnameinfo((void *)&address, length, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, ADDRESS_MAX, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
		 port);
}

static int open_listener(const char *text)
{
	struct addrinfo *there;
	int fd;

	if (parse_address(text, &there))
		return fail(-EINVAL,
			    "argv: --listen: found \"%s\", expected an address and a port, as "
			    "in 127.0.0.1:9847 or [::1]:9847",
			    text);
	fd = listen_there(there);
	freeaddrinfo(there);
	if (fd < 0)
		return fail(fd, "cannot listen on %s: %s", text, strerror(-fd));
	return fd;
}

static int serve(int listener, int collector)
{
	int err;

	/* The collector, the listener, the library's own, and what clients hold. */
	err = privileges_none(2 * HTTP_CONNECTIONS + 32);
	if (err)
		return fail(err, "cannot give up privileges: %s", strerror(-err));
	return http_run(listener, collector);
}

static int collect(int server, size_t max_ports, const char *address)
{
	int err = privileges_keep(CAPABILITY(BPF));

	if (err)
		return fail(err, "cannot give up privileges: %s", strerror(-err));
	return collector_run(server, max_ports, address);
}

/* The listening process is the child: what ends the first ends both. */
static int run(int listener, const struct options *options)
{
	char address[ADDRESS_MAX];
	int sockets[2], err, status = 0;
	pid_t child;

	print_address(listener, address);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return fail(-errno, "cannot make a socket: %m");
	child = fork();
	if (child < 0)
		return fail(-errno, "cannot start a process: %m");
	if (!child) {
		close(sockets[0]);
		_exit(serve(listener, sockets[1]) ? EXIT_REFUSED : EXIT_DONE);
	}
	close(sockets[1]);
	close(listener);
	err = collect(sockets[0], options->max_ports, address);
	/* One that exits has said why. */
	if (err == -EPIPE && waitpid(child, &status, 0) == child && WIFSIGNALED(status))
		fail(err, "the process that speaks HTTP was ended by signal %d",
		     WTERMSIG(status));
	return err;
}

static int cmd_export(const struct command *command, int argc, char **argv)
{
	struct options options;
	int listener;

	if (parse_options(argc, argv, &options))
		return command_usage(command);
	listener = open_listener(options.address);
	if (listener < 0)
		return EXIT_REFUSED;
	return run(listener, &options) ? EXIT_REFUSED : EXIT_DONE;
}

extern const struct command cmd_export_entry;

int main(int argc, char **argv)
{
	return program_of_one(&cmd_export_entry, cmd_export, argc, argv);
}
