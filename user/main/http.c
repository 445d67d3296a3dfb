// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process of "export" that serves HTTP, one request for each connection. A client can hold
 * a connection for HTTP_SECONDS, or less if others need it. It can hold one reply; if the
 * replies get too large, clients share a reply.
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
#define HTTP_MEMORY 16384 /* bytes for the header of a request */
/* More than HTTP_CONNECTIONS: a new connection comes in while the oldest is being closed. */
#define HTTP_MOST (2 * HTTP_CONNECTIONS)
/*
 * Bytes of all replies that are being sent. Beyond that a new client gets the newest reply
 * again, until that is HTTP_SECONDS old. So there are at most three replies of each format,
 * however large they are.
 */
#define HTTP_REPLIES (32u << 20)
/* Bytes of a reply that the kernel may buffer (SO_SNDBUF, which it doubles). */
#define HTTP_UNSENT (128 << 10)
#define HTTP_PER_ADDRESS (HTTP_CONNECTIONS + HTTP_CONNECTIONS / 2)

struct client {
	int fd; /* -1: this entry is free */
	time_t since;
	unsigned long number; /* counts all connections */
	bool closing;
};

/* A reply of the collector. Lives until it is sent to all its clients. */
struct http_reply {
	struct http *http;
	struct MHD_Response *response;
	unsigned int status; /* HTTP status code */
	time_t since;
	size_t size;
	char text[];
};

struct http {
	int collector;
	bool broken; /* the collector is gone */
	unsigned long accepted; /* connections */
	struct client clients[HTTP_MOST];
	struct http_reply *newest[EXPOSITIONS]; /* of those that are being sent */
	size_t replies; /* bytes of all that are being sent */
};

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/*
 * Shuts a connection down; the library closes it once it sees that. SO_LINGER with time 0 makes
 * the kernel drop the bytes that are not sent yet.
 */
static void client_close(struct client *client)
{
	const struct linger none = { .l_onoff = 1 };

	if (client->closing)
		return;
	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	client->closing = true;
	shutdown(client->fd, SHUT_RDWR);
}

static void close_late_clients(struct http *http)
{
	time_t now = seconds_now();

	for (size_t i = 0; i < HTTP_MOST; i++) {
		struct client *client = &http->clients[i];

		if (client->fd >= 0 && now - client->since >= HTTP_SECONDS)
			client_close(client);
	}
}

static void close_oldest_client(struct http *http)
{
	struct client *oldest = NULL;
	size_t count = 0;

	for (size_t i = 0; i < HTTP_MOST; i++) {
		struct client *client = &http->clients[i];

		if (client->fd < 0 || client->closing)
			continue;
		count++;
		if (!oldest || client->number < oldest->number)
			oldest = client;
	}
	if (count > HTTP_CONNECTIONS)
		client_close(oldest);
}

/* The entry of a connection; of -1, a free one. */
static struct client *find_client(struct http *http, int fd)
{
	for (size_t i = 0; i < HTTP_MOST; i++) {
		if (http->clients[i].fd == fd)
			return &http->clients[i];
	}
	return NULL;
}

/* The library calls this when a connection begins and when it has ended. */
static void track_client(void *data, struct MHD_Connection *connection, void **context,
			 enum MHD_ConnectionNotificationCode code)
{
	int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
			 ->connect_fd;
	bool started = code == MHD_CONNECTION_NOTIFY_STARTED;
	struct http *http = data;
	struct client *client = find_client(http, started ? -1 : fd);

	(void)context;
	if (!client)
		return;
	*client = (struct client){
		.fd = started ? fd : -1,
		.since = seconds_now(),
		.number = http->accepted++,
	};
	if (started)
		close_oldest_client(http);
}

/* Receives all `size` bytes. Fewer mean that the collector has ended. */
static int receive(int socket, void *data, size_t size)
{
	ssize_t got = recv(socket, data, size, MSG_WAITALL);

	return got == (ssize_t)size ? 0 : got < 0 ? -errno : -EPIPE;
}

/* The library calls this when it has sent the reply to all its clients. */
static void free_reply(void *data)
{
	struct http_reply *reply = data;
	struct http *http = reply->http;

	for (size_t i = 0; i < EXPOSITIONS; i++) {
		if (http->newest[i] == reply)
			http->newest[i] = NULL;
	}
	http->replies -= reply->size;
	free(reply);
}

static struct http_reply *receive_reply(struct http *http)
{
	struct http_reply *reply = NULL;
	struct reply header;

	if (!receive(http->collector, &header, sizeof(header)))
		reply = malloc(sizeof(*reply) + header.size);
	if (!reply)
		return NULL;
	*reply = (struct http_reply){
		.http = http,
		.status = header.status,
		.since = seconds_now(),
		.size = header.size,
	};
	http->replies += reply->size;
	if (!receive(http->collector, reply->text, reply->size))
		reply->response = MHD_create_response_from_buffer_with_free_callback_cls(
			reply->size, reply->text, free_reply, reply);
	if (reply->response)
		return reply;
	free_reply(reply);
	return NULL;
}

/* Requests a reply of the collector. Returns NULL if the collector is gone. */
static struct http_reply *collect_reply(struct http *http, enum request request)
{
	char byte = request;
	struct http_reply *reply = NULL;

	if (send(http->collector, &byte, 1, MSG_NOSIGNAL) == 1)
		reply = receive_reply(http);
	http->broken |= !reply;
	return reply;
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

/* `type`: of the content, if the request did not fail; an error message is plain text. */
static enum MHD_Result respond_reply(struct MHD_Connection *connection,
				     struct http_reply *reply, const char *type)
{
	if (!reply)
		return MHD_NO;
	return respond(connection, reply->status, reply->status == MHD_HTTP_OK ? type : PLAIN,
		       reply->response);
}

static bool is_shared(const struct http *http, const struct http_reply *newest)
{
	return newest && http->replies + newest->size > HTTP_REPLIES &&
	       seconds_now() - newest->since < HTTP_SECONDS;
}

static enum MHD_Result respond_metrics(struct http *http, struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);
	enum exposition exposition = exposition_choose(accept);
	bool openmetrics = exposition == EXPOSITION_OPENMETRICS;
	struct http_reply *reply = http->newest[exposition];

	if (is_shared(http, reply))
		return MHD_queue_response(connection, reply->status, reply->response);
	reply = collect_reply(http, openmetrics ? REQUEST_OPENMETRICS : REQUEST_TEXT);
	http->newest[exposition] = reply;
	return respond_reply(connection, reply, exposition_type(exposition));
}

static enum MHD_Result handle_request(void *data, struct MHD_Connection *connection,
				      const char *url, const char *method, const char *version,
				      const char *upload, size_t *upload_size, void **context)
{
	(void)version, (void)upload, (void)upload_size, (void)context;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return respond_page(connection, MHD_HTTP_METHOD_NOT_ALLOWED, PLAIN,
				    "only GET and HEAD\n");
	if (!strcmp(url, "/metrics"))
		return respond_metrics(data, connection);
	if (!strcmp(url, "/healthz"))
		return respond_reply(connection, collect_reply(data, REQUEST_HEALTH), PLAIN);
	if (!strcmp(url, "/"))
		return respond_page(connection, MHD_HTTP_OK, "text/html; charset=utf-8",
				    "<!DOCTYPE html><title>portctl</title><h1>portctl</h1>"
				    "<p><a href=\"/metrics\">metrics</a></p>"
				    "<p><a href=\"/healthz\">health</a></p>\n");
	return respond_page(connection, MHD_HTTP_NOT_FOUND, PLAIN,
			    "there are /metrics and /healthz\n");
}

/* Keeps the library from decoding the path: "/%00" would become "/". */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data, (void)connection;
	return strlen(text);
}

/* Waits at most a second. Returns false once the collector is gone. */
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
 * Limits the bytes of a reply that wait in the kernel for a slow client, and the time that they
 * wait: without a limit they would stay for minutes after the connection was closed.
 * Connections inherit these options from the listening socket.
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
	char ready = REQUEST_READY;
	int err;

	for (size_t i = 0; i < HTTP_MOST; i++)
		http.clients[i].fd = -1;
	err = limit_unsent(listener);
	if (err)
		return fail(err, "cannot limit the buffers of connections: %s", strerror(-err));
	daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, handle_request, &http, MHD_OPTION_LISTEN_SOCKET,
		listener, MHD_OPTION_CONNECTION_LIMIT, HTTP_MOST,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, HTTP_PER_ADDRESS,
		MHD_OPTION_CONNECTION_TIMEOUT, HTTP_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HTTP_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_CONNECTION,
		track_client, &http, MHD_OPTION_END);
	if (!daemon || send(collector, &ready, 1, MSG_NOSIGNAL) != 1)
		return fail(-EIO, "cannot start the HTTP server");
	while (!http.broken && wait_for_work(daemon, collector) && MHD_run(daemon) == MHD_YES)
		close_late_clients(&http);
	return -EIO;
}
