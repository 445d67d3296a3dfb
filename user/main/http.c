// SPDX-License-Identifier: GPL-2.0-only
/*
 * The half of `export` that speaks HTTP. One request a connection: what a client
 * can hold is a place, for HTTP_SECONDS at most, and less when others want it, and an
 * answer, which is that of others as well once there are too many.
 */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "main/exporter.h"
#include "base/log.h"
#include "print/metrics.h"
#include "base/array.h"

#define PLAIN "text/plain; charset=utf-8"
#define HTTP_SECONDS 10
#define HTTP_MEMORY 16384 /* of a connection, for its header */
/* Above HTTP_CONNECTIONS, so that a new one gets in while the oldest is on its way out. */
#define HTTP_MOST (2 * HTTP_CONNECTIONS)
/*
 * Bytes of all answers on their way. With more the newest is given to the next as well, until
 * it is HTTP_SECONDS old: so there can be three of each exposition, however large.
 */
#define HTTP_ANSWERS (32u << 20)
#define HTTP_UNSENT (128 << 10) /* bytes that the kernel takes of an answer, and doubles */
#define HTTP_PER_ADDRESS (HTTP_CONNECTIONS + HTTP_CONNECTIONS / 2)

struct guest {
	int fd; /* -1: a free place */
	time_t since;
	unsigned long number; /* of all that ever came */
	bool leaving;
};

/* What the collector said, until the last that it is sent to has it, or has gone. */
struct answer {
	struct http *http;
	struct MHD_Response *response;
	unsigned int status; /* of HTTP */
	time_t since;
	size_t size;
	char text[];
};

struct http {
	int collector;
	bool broken; /* the collector does not answer any more */
	unsigned long came;
	struct guest guests[HTTP_MOST];
	struct answer *newest[EXPOSITIONS]; /* of those that are on their way */
	size_t answers; /* bytes of those, and of older ones */
};

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/*
 * Only the library closes: it will, as soon as it sees the end. What was not sent by then
 * the kernel is not to keep.
 */
static void see_out(struct guest *guest)
{
	const struct linger none = { .l_onoff = 1 };

	if (guest->leaving)
		return;
	setsockopt(guest->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
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

static void forget_answer(void *data)
{
	struct answer *answer = data;
	struct http *http = answer->http;

	for (size_t i = 0; i < EXPOSITIONS; i++) {
		if (http->newest[i] == answer)
			http->newest[i] = NULL;
	}
	http->answers -= answer->size;
	free(answer);
}

static struct answer *receive_answer(struct http *http)
{
	struct answer *answer = NULL;
	struct reply reply;

	if (!receive(http->collector, &reply, sizeof(reply)))
		answer = malloc(sizeof(*answer) + reply.size);
	if (!answer)
		return NULL;
	*answer = (struct answer){
		.http = http,
		.status = reply.status,
		.since = seconds_now(),
		.size = reply.size,
	};
	http->answers += answer->size;
	if (!receive(http->collector, answer->text, answer->size))
		answer->response = MHD_create_response_from_buffer_with_free_callback_cls(
			answer->size, answer->text, forget_answer, answer);
	if (answer->response)
		return answer;
	forget_answer(answer);
	return NULL;
}

/* NULL where the collector answers no more. */
static struct answer *ask(struct http *http, enum question question)
{
	char byte = question;
	struct answer *answer = NULL;

	if (send(http->collector, &byte, 1, MSG_NOSIGNAL) == 1)
		answer = receive_answer(http);
	http->broken |= !answer;
	return answer;
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
static enum MHD_Result respond_answer(struct MHD_Connection *connection, struct answer *answer,
				      const char *type)
{
	if (!answer)
		return MHD_NO;
	return respond(connection, answer->status, answer->status == MHD_HTTP_OK ? type : PLAIN,
		       answer->response);
}

static bool is_shared(const struct http *http, const struct answer *newest)
{
	return newest && http->answers + newest->size > HTTP_ANSWERS &&
	       seconds_now() - newest->since < HTTP_SECONDS;
}

static enum MHD_Result respond_metrics(struct http *http, struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);
	enum exposition exposition = exposition_choose(accept);
	bool openmetrics = exposition == EXPOSITION_OPENMETRICS;
	struct answer *answer = http->newest[exposition];

	if (is_shared(http, answer))
		return MHD_queue_response(connection, answer->status, answer->response);
	answer = ask(http, openmetrics ? ASK_OPENMETRICS : ASK_TEXT);
	http->newest[exposition] = answer;
	return respond_answer(connection, answer, exposition_type(exposition));
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
		return respond_answer(connection, ask(data, ASK_HEALTH), PLAIN);
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

/*
 * What clients do not take is in the kernel's memory, and it would wait for minutes after
 * the end. Their connections have this from the listening socket.
 */
static int limit_unsent(int listener)
{
	const int size = HTTP_UNSENT, milliseconds = HTTP_SECONDS * 1000;

	if (setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ||
	    setsockopt(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds,
		       sizeof(milliseconds)))
		return -errno;
	return 0;
}

int http_run(int listener, int collector)
{
	struct http http = { .collector = collector };
	struct MHD_Daemon *daemon;
	char ready = ASK_READY;
	int err;

	for (size_t i = 0; i < HTTP_MOST; i++)
		http.guests[i].fd = -1;
	err = limit_unsent(listener);
	if (err)
		return fail(err, "cannot limit what clients may hold: %s", strerror(-err));
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
