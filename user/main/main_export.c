// SPDX-License-Identifier: GPL-2.0-only
/* export: opens the listening socket, and starts the two processes of main/exporter.h. */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/number.h"
#include "base/privileges.h"
#include "cmd/programs.h"
#include "main/exporter.h"
#include "main/program.h"

#define ADDRESS_MAX 128

/* Parses "ADDRESS:PORT", of IPv6 "[ADDRESS]:PORT". Does not resolve names. */
static int parse_listen(const char *text, struct addrinfo **result)
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

static int open_socket(const struct addrinfo *there)
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

/* Prints the address and port of a listening socket, as a URL has them. */
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

	if (parse_listen(text, &there))
		return fail(-EINVAL,
			    "argv: --listen: found \"%s\", expected an address and a port, as "
			    "in 127.0.0.1:9847 or [::1]:9847",
			    text);
	fd = open_socket(there);
	freeaddrinfo(there);
	if (fd < 0)
		return fail(fd, "cannot listen on %s: %s", text, strerror(-fd));
	return fd;
}

static int run_http(int listener, int collector)
{
	int err;

	/* Descriptors: of connections, the collector, the listener and the library. */
	err = privileges_none(2 * HTTP_CONNECTIONS + 32);
	if (err)
		return fail(err, "cannot give up privileges: %s", strerror(-err));
	return http_run(listener, collector);
}

static int run_collector(int server, size_t max_ports, const char *address)
{
	int err = privileges_keep(CAPABILITY(BPF));

	if (err)
		return fail(err, "cannot give up privileges: %s", strerror(-err));
	return collector_run(server, max_ports, address);
}

/* The child listens, so that a signal to the parent ends both. */
static int export_run_both(int listener, const struct export_options *options)
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
		_exit(run_http(listener, sockets[1]) ? EXIT_REFUSED : EXIT_DONE);
	}
	close(sockets[1]);
	close(listener);
	err = run_collector(sockets[0], options->max_ports, address);
	/* A child that exits has printed the error; one that was killed has not. */
	if (err == -EPIPE && waitpid(child, &status, 0) == child && WIFSIGNALED(status))
		fail(err, "the process that speaks HTTP was ended by signal %d",
		     WTERMSIG(status));
	return err;
}

static int export_run(const struct command *command, int argc, char **argv)
{
	struct export_options options = { .listen = "127.0.0.1:9847", .max_ports = 1000 };
	int listener, status = command_parse(command, &argc, argv, &options);

	if (status)
		return status;
	listener = open_listener(options.listen);
	if (listener < 0)
		return EXIT_REFUSED;
	return export_run_both(listener, &options) ? EXIT_REFUSED : EXIT_DONE;
}

int main(int argc, char **argv)
{
	return program_of_one(&cmd_export_entry, export_run, argc, argv);
}
