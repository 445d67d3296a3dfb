// SPDX-License-Identifier: GPL-2.0-only
/*
 * The half of `export` that speaks HTTP. One request a connection: what a client
 * can hold is a place, for HTTP_SECONDS at most, and less when others want it.
 */
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "exporter.h"
#include "log.h"
#include "metrics.h"
#include "util.h"

#define PLAIN "text/plain; charset=utf-8"
#define HTTP_SECONDS 10
#define HTTP_MEMORY 16384 /* of a connection, for its header */
/* Above HTTP_CONNECTIONS, so that a new one gets in while the oldest is on its way out. */
#define HTTP_MOST (2 * HTTP_CONNECTIONS)
#define HTTP_PER_ADDRESS (HTTP_CONNECTIONS + HTTP_CONNECTIONS / 2)

struct guest {
	int fd; /* -1: a free place */
	time_t since;
	unsigned long number; /* of all that ever came */
	bool leaving;
};

struct http {
	int collector;
	bool broken; /* the collector does not answer any more */
	unsigned long came;
	struct guest guests[HTTP_MOST];
};

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Only the library closes: it will, as soon as it sees the end. */
static void see_out(struct guest *guest)
{
	if (guest->leaving)
		return;
	guest->leaving = true;
	shutdown(guest->fd, SHUT_RDWR);
}

static void see_out_late(struct http *http)
{
	time_t now = seconds_now();

	for (size_t i = 0; i < HTTP_MOST; i++) {
		struct guest *guest = &http->guests[i];

		if (guest->fd >= 0 && now - guest->since >= HTTP_SECONDS)
			see_out(guest);
	}
}

static void see_out_oldest(struct http *http)
{
	struct guest *oldest = NULL;
	size_t count = 0;

	for (size_t i = 0; i < HTTP_MOST; i++) {
		struct guest *guest = &http->guests[i];

		if (guest->fd < 0 || guest->leaving)
			continue;
		count++;
		if (!oldest || guest->number < oldest->number)
			oldest = guest;
	}
	if (count > HTTP_CONNECTIONS)
		see_out(oldest);
}

static struct guest *find_guest(struct http *http, int fd)
{
	for (size_t i = 0; i < HTTP_MOST; i++) {
		if (http->guests[i].fd == fd)
			return &http->guests[i];
	}
	return NULL;
}

static void come_or_go(void *data, struct MHD_Connection *connection, void **context,
		       enum MHD_ConnectionNotificationCode code)
{
	int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
			 ->connect_fd;
	bool comes = code == MHD_CONNECTION_NOTIFY_STARTED;
	struct http *http = data;
	struct guest *guest = find_guest(http, comes ? -1 : fd);

	(void)context;
	if (!guest)
		return;
	*guest = (struct guest){
		.fd = comes ? fd : -1,
		.since = seconds_now(),
		.number = http->came++,
	};
	if (comes)
		see_out_oldest(http);
}

/* Receives all of it: a reply that is cut off is the end of the collector. */
static int receive(int socket, void *data, size_t size)
{
	ssize_t got = recv(socket, data, size, MSG_WAITALL);

	return got == (ssize_t)size ? 0 : got < 0 ? -errno : -EPIPE;
}

static int ask(struct http *http, enum question question, struct reply *reply, char **text)
{
	char byte = question;
	int err = send(http->collector, &byte, 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;

	*text = NULL;
	if (!err)
		err = receive(http->collector, reply, sizeof(*reply));
	if (!err)
		*text = malloc(reply->size + 1);
	if (!err)
		err = *text ? receive(http->collector, *text, reply->size) : -ENOMEM;
	http->broken |= err;
	return err;
}

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned int status,
			       const char *type, struct MHD_Response *response)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result respond_page(struct MHD_Connection *connection, unsigned int status,
				    const char *type, const char *page)
{
	return respond(connection, status, type,
		       MHD_create_response_from_buffer(strlen(page), (void *)page,
						       MHD_RESPMEM_PERSISTENT));
}

/* `type` is that of the answer; what is wrong is said as plain text. */
static enum MHD_Result respond_question(struct http *http, struct MHD_Connection *connection,
					enum question question, const char *type)
{
	struct reply reply;
	char *text;

	if (ask(http, question, &reply, &text)) {
		free(text);
		return MHD_NO;
	}
	return respond(
		connection, reply.status, reply.status == MHD_HTTP_OK ? type : PLAIN,
		MHD_create_response_from_buffer(reply.size, text, MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result respond_metrics(struct http *http, struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);
	enum exposition exposition = exposition_choose(accept);
	bool openmetrics = exposition == EXPOSITION_OPENMETRICS;

	return respond_question(http, connection, openmetrics ? ASK_OPENMETRICS : ASK_TEXT,
				exposition_type(exposition));
}

static enum MHD_Result answer(void *data, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **context)
{
	(void)version, (void)upload, (void)upload_size, (void)context;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return respond_page(connection, MHD_HTTP_METHOD_NOT_ALLOWED, PLAIN,
				    "only GET and HEAD\n");
	if (!strcmp(url, "/metrics"))
		return respond_metrics(data, connection);
	if (!strcmp(url, "/healthz"))
		return respond_question(data, connection, ASK_HEALTH, PLAIN);
	if (!strcmp(url, "/"))
		return respond_page(connection, MHD_HTTP_OK, "text/html; charset=utf-8",
				    "<!DOCTYPE html><title>portctl</title><h1>portctl</h1>"
				    "<p><a href=\"/metrics\">metrics</a></p>"
				    "<p><a href=\"/healthz\">health</a></p>\n");
	return respond_page(connection, MHD_HTTP_NOT_FOUND, PLAIN,
			    "there are /metrics and /healthz\n");
}

/* A path is what the client wrote: decoded, "/%00" would be "/". */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data, (void)connection;
	return strlen(text);
}

/* Waits a second at most; false once the collector is gone. */
static bool wait_for_work(struct MHD_Daemon *daemon, int collector)
{
	struct pollfd polls[] = {
		{ MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, POLLIN, 0 },
		{ collector, 0, 0 },
	};
	MHD_UNSIGNED_LONG_LONG timeout = 1000;

	if (MHD_get_timeout(daemon, &timeout) != MHD_YES || timeout > 1000)
		timeout = 1000;
	poll(polls, ARRAY_SIZE(polls), timeout);
	return !(polls[1].revents & (POLLHUP | POLLERR));
}

int http_run(int listener, int collector)
{
	struct http http = { .collector = collector };
	struct MHD_Daemon *daemon;
	char ready = ASK_READY;

	for (size_t i = 0; i < HTTP_MOST; i++)
		http.guests[i].fd = -1;
	daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, answer, &http, MHD_OPTION_LISTEN_SOCKET, listener,
		MHD_OPTION_CONNECTION_LIMIT, HTTP_MOST, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		HTTP_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, HTTP_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
		NULL, MHD_OPTION_NOTIFY_CONNECTION, come_or_go, &http, MHD_OPTION_END);
	if (!daemon || send(collector, &ready, 1, MSG_NOSIGNAL) != 1)
		return fail(-EIO, "cannot start the HTTP server");
	while (!http.broken && wait_for_work(daemon, collector) && MHD_run(daemon) == MHD_YES)
		see_out_late(&http);
	return -EIO;
}
