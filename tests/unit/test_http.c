// SPDX-License-Identifier: GPL-2.0-only
/* The HTTP process of `export`. The test plays the collector process that answers it. */
#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"
#include "main/exporter.h"

#define ANSWER (4u << 20)

static struct {
	pid_t pid; /* of the server */
	int collector;
	struct sockaddr_in address;
	unsigned int asked; /* requests to the collector so far */
	size_t size; /* of a response's body, in bytes */
} server;

static int start(void **state)
{
	socklen_t length = sizeof(server.address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), sockets[2];

	(void)state;
	server.asked = 0;
	server.size = ANSWER;
	server.address = (struct sockaddr_in){ .sin_family = AF_INET,
					       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(listener, (void *)&server.address, length) || listen(listener, 128) ||
	    getsockname(listener, (void *)&server.address, &length) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		return -1;
	server.pid = fork();
	if (!server.pid) {
		close(sockets[0]);
		_exit(!!http_run(listener, sockets[1]));
	}
	close(listener);
	close(sockets[1]);
	server.collector = sockets[0];
	return server.pid < 0 ? -1 : 0;
}

static int stop(void **state)
{
	(void)state;
	close(server.collector);
	kill(server.pid, SIGKILL);
	return waitpid(server.pid, NULL, 0) == server.pid ? 0 : -1;
}

/* Plays the collector once: answers request n with server.size times the n-th letter. */
static void collect(void)
{
	struct reply reply = { .status = 200, .size = server.size };
	cleanup_free char *text = malloc(server.size);
	char question;

	assert_int_equal(recv(server.collector, &question, 1, 0), 1);
	if (question == REQUEST_READY)
		return;
	memset(text, 'a' + server.asked++ % 26, server.size);
	assert_int_equal(write_all(server.collector, (char *)&reply, sizeof(reply)), 0);
	assert_int_equal(write_all(server.collector, text, server.size), 0);
}

/* Waits until a client can read, and plays the collector meanwhile. */
static void wait_for(int client)
{
	struct pollfd polls[] = { { client, POLLIN, 0 }, { server.collector, POLLIN, 0 } };

	while (!polls[0].revents) {
		assert_true(poll(polls, 2, 20000) > 0);
		if (polls[1].revents)
			collect();
	}
}

/* Requests the metrics and waits until the response begins. Returns the client's socket. */
static int begin(void)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	int client = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(client, (void *)&server.address, sizeof(server.address)), 0);
	assert_int_equal(write_all(client, request, sizeof(request) - 1), 0);
	wait_for(client);
	return client;
}

/* Reads a response to its end and returns the letter it consists of. */
static char end(int client)
{
	cleanup_free char *text = malloc(ANSWER + 4096);
	size_t size = 0;
	ssize_t got;
	char *body;

	while ((got = recv(client, text + size, ANSWER + 4095 - size, 0)) > 0)
		size += got;
	assert_int_equal(got, 0);
	close(client);
	text[size] = 0;
	body = strstr(text, "\r\n\r\n") + 4;
	assert_int_equal(strlen(body), ANSWER);
	for (size_t i = 0; i < ANSWER; i++)
		assert_int_equal(body[i], *body);
	return *body;
}

#ifndef __has_feature /* clang's */
#define __has_feature(feature) 0
#endif

/* Expects that the server's memory never exceeded this many MiB. */
static void expect_peak(unsigned long mebibytes)
{
	char path[32];
	cleanup_free char *text = NULL;
	unsigned long peak = 0;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/status", server.pid);
	assert_int_equal(file_read(path, &text, &size), 0);
	assert_int_equal(sscanf(strstr(text, "VmHWM:"), "VmHWM: %lu", &peak), 1);
	if (!__has_feature(address_sanitizer)) /* it keeps freed memory */
		assert_in_range(peak >> 10, 1, mebibytes);
}

static size_t server_descriptors(void)
{
	struct dirent *entry;
	char path[32];
	size_t count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", server.pid);
	folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder)))
		count += *entry->d_name != '.';
	closedir(folder);
	return count;
}

/* Each request is answered with values collected for it. */
static void test_each_response_is_fresh(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++)
		assert_int_equal(end(begin()), 'a' + i % 26);
	assert_int_equal(server.asked, 30);
}

/* The same while a few other clients read slowly. */
static void test_responses_are_fresh_beside_slow_clients(void **state)
{
	int slow[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		slow[i] = begin();
	assert_int_equal(end(begin()), 'e');
	assert_int_equal(end(begin()), 'f');
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		assert_int_equal(end(slow[i]), 'a' + i);
}

/* Clients that do not read share few responses, so that memory stays bounded. */
static void test_slow_clients_share_responses(void **state)
{
	int slow[HTTP_CONNECTIONS - 1];
	unsigned int asked;
	char last;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		slow[i] = begin();
	asked = server.asked;
	assert_in_range(asked, 4, 9);
	expect_peak(64);
	/* One more client gets the newest response, complete. */
	last = end(begin());
	assert_int_equal(server.asked, asked);
	assert_int_equal(last, 'a' + asked - 1);
	/* All clients get complete responses, and later responses are fresh again. */
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		assert_int_equal(end(slow[i]), 'a' + (i < asked ? i : asked - 1));
	assert_int_equal(end(begin()), 'a' + asked);
	expect_peak(64);
}

/*
 * An unread response stays in the server, where memory is bounded: the server keeps the
 * connection open and doesn't leave the rest to the kernel's socket buffer.
 */
static void test_unread_response_keeps_its_connection(void **state)
{
	size_t idle;
	int client;

	(void)state;
	server.size = 1 << 20;
	close(begin());
	usleep(300000);
	idle = server_descriptors();
	client = begin();
	usleep(300000);
	assert_int_equal(server_descriptors(), idle + 1);
	close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_response_is_fresh, start, stop),
		cmocka_unit_test_setup_teardown(test_responses_are_fresh_beside_slow_clients,
						start, stop),
		cmocka_unit_test_setup_teardown(test_slow_clients_share_responses, start, stop),
		cmocka_unit_test_setup_teardown(test_unread_response_keeps_its_connection,
						start, stop),
	};

	return run_suite("http", tests);
}
