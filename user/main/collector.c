// SPDX-License-Identifier: GPL-2.0-only
/* The process of "export" that reads the maps, for one request at a time. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "kernel/datapath_rules.h"
#include "main/exporter.h"
#include "base/folder.h"
#include "base/log.h"
#include "print/metrics.h"
#include "watch/port_watch.h"
#include "base/cleanup.h"

/*
 * The lock, in nanoseconds: how long a scrape waits for it, how long it is left to other
 * commands after a scrape, and the pause between two attempts to take it.
 */
#define LOCK_WAIT 2000000000ull
#define LOCK_REST 20000000ull
#define LOCK_PAUSE 5000000

struct collector {
	struct metrics_history history;
	struct port_watch *ports;
	size_t max_ports;
	__u64 released; /* time when the lock was released, nanoseconds since boot */
	bool failing; /* the last request failed */
};

static void sleep_until(__u64 time)
{
	__u64 now = since_boot();
	struct timespec rest = { .tv_nsec = now < time ? time - now : 0 };

	nanosleep(&rest, NULL);
}

/*
 * Takes the lock for reading, so that datapath_open(), which waits without a limit, gets it at
 * once. Returns a descriptor that holds the lock; 0 if the folder of the lock does not exist,
 * so that nobody holds it; or a negative errno, with the error printed.
 */
static int collector_lock(const struct collector *collector)
{
	__u64 end = since_boot() + LOCK_WAIT;
	char path[PATH_MAX];
	int fd;

	sleep_until(collector->released + LOCK_REST);
	fd = run_path("lock", path);
	if (fd)
		return fd;
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return errno == ENOENT ? 0 : fail(-errno, "cannot open %s: %m", path);
	while (flock(fd, LOCK_SH | LOCK_NB)) {
		if (errno == EWOULDBLOCK && since_boot() < end) {
			sleep_until(since_boot() + LOCK_PAUSE);
			continue;
		}
		close(fd);
		return fail(-EBUSY, "another portctl command has held %s for more than %llu s",
			    path, LOCK_WAIT / 1000000000);
	}
	return fd;
}

static int collector_print_metrics(struct collector *collector, enum exposition exposition,
				   FILE *out)
{
	struct metrics metrics;
	int err = metrics_collect(&metrics, &collector->history, collector->max_ports)
			  ?: port_watch_turn(collector->ports, 0);

	memcpy(metrics.port_events, port_watch_counts(collector->ports),
	       sizeof(metrics.port_events));
	if (!err)
		metrics_print(out, &metrics, exposition);
	metrics_clear(&metrics);
	return err;
}

/* Prints "ok" if the sources of the metrics can be read. */
static int check_health(FILE *out)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset ruleset;
	int err;

	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, &ruleset);
	if (!err)
		fputs("ok\n", out);
	return err;
}

static int collector_print(struct collector *collector, enum request request, FILE *out)
{
	enum exposition exposition =
		request == REQUEST_OPENMETRICS ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
	int lock = collector_lock(collector), err;

	if (lock < 0)
		return lock;
	if (request == REQUEST_HEALTH)
		err = check_health(out);
	else
		err = collector_print_metrics(collector, exposition, out);
	if (lock)
		close(lock);
	collector->released = since_boot();
	return err;
}

/* Logs only the first failure of several in a row, and the end of them. */
static void log_health(struct collector *collector, bool failing, const char *why)
{
	if (failing && !collector->failing)
		fputs(why, stderr);
	else if (!failing && collector->failing)
		note("the counters can be read again");
	collector->failing = failing;
}

static int send_all(int socket, const void *data, size_t size)
{
	while (size) {
		ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return -errno;
		data = (const char *)data + (sent > 0 ? sent : 0);
		size -= sent > 0 ? sent : 0;
	}
	return 0;
}

/* If the request fails, the reply is the error message. */
static int collector_reply(struct collector *collector, int socket, enum request request)
{
	cleanup_free char *text = NULL, *why = NULL;
	size_t size = 0, why_size = 0;
	FILE *out = open_memstream(&text, &size), *log = open_memstream(&why, &why_size);
	struct reply reply = { .status = 200 };
	int err = -ENOMEM;

	if (out && log) {
		log_capture(log);
		err = collector_print(collector, request, out);
		log_capture(NULL);
	}
	if ((out && fclose(out)) || (log && fclose(log)))
		return out_of_memory();
	log_health(collector, err, why ?: "");
	if (err) {
		free(text);
		text = TAKE_PTR(why);
		size = why_size;
		reply.status = 503;
	}
	reply.size = size;
	return send_all(socket, &reply, sizeof(reply)) ?: send_all(socket, text, size);
}

int collector_run(int socket, size_t max_ports, const char *address)
{
	struct collector collector = { .max_ports = max_ports };
	unsigned char request;
	int err = port_watch_open(&collector.ports, NULL, NULL, NULL);

	while (!err && recv(socket, &request, 1, 0) == 1) {
		if (request == REQUEST_READY) {
			printf("listening on http://%s/metrics\n", address);
			fflush(stdout);
		} else {
			err = collector_reply(&collector, socket, request);
		}
	}
	metrics_history_clear(&collector.history);
	port_watch_free(collector.ports);
	return err ?: -EPIPE;
}
