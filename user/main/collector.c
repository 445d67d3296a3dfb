// SPDX-License-Identifier: GPL-2.0-only
/* The half of `export` that reads the maps, a question at a time. */
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
 * How long a scrape waits for a command that changes something, and for how long
 * after a scrape the lock is left to others, however often one is asked for.
 */
#define TURN_WAIT 2000000000ull
#define TURN_REST 20000000ull
#define TURN_STEP 5000000

struct collector {
	struct metrics_history history;
	struct port_watch *ports;
	size_t max_ports;
	__u64 rested; /* when the lock was given back, nanoseconds since boot */
	bool failing;
};

static void sleep_until(__u64 time)
{
	__u64 now = since_boot();
	struct timespec rest = { .tv_nsec = now < time ? time - now : 0 };

	nanosleep(&rest, NULL);
}

/*
 * Takes the lock for reading, so that datapath_open() gets it at once: that would
 * wait for ever. Returns a descriptor that holds it, 0 where there is no folder for
 * it yet and so nobody who holds it, or a negative errno.
 */
static int take_turn(const struct collector *collector)
{
	__u64 end = since_boot() + TURN_WAIT;
	char path[PATH_MAX];
	int fd;

	sleep_until(collector->rested + TURN_REST);
	fd = run_path("lock", path);
	if (fd)
		return fd;
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return errno == ENOENT ? 0 : fail(-errno, "cannot open %s: %m", path);
	while (flock(fd, LOCK_SH | LOCK_NB)) {
		if (errno == EWOULDBLOCK && since_boot() < end) {
			sleep_until(since_boot() + TURN_STEP);
			continue;
		}
		close(fd);
		return fail(-EBUSY, "another portctl command holds %s for longer than %llu s",
			    path, TURN_WAIT / 1000000000);
	}
	return fd;
}

static int print_metrics(struct collector *collector, enum exposition exposition, FILE *out)
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

/* Whether all that metrics come from can be opened. */
static int check_health(FILE *out)
{
	struct ruleset ruleset;
	struct datapath dp;
	int err;

	ruleset_init(&ruleset);
	err = datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, &ruleset);
	ruleset_clear(&ruleset);
	datapath_close(&dp);
	if (!err)
		fputs("ok\n", out);
	return err;
}

static int answer_question(struct collector *collector, enum question question, FILE *out)
{
	int turn = take_turn(collector), err;

	if (turn < 0)
		return turn;
	if (question == ASK_HEALTH)
		err = check_health(out);
	else
		err = print_metrics(collector,
				    question == ASK_OPENMETRICS ? EXPOSITION_OPENMETRICS
								: EXPOSITION_TEXT,
				    out);
	if (turn)
		close(turn);
	collector->rested = since_boot();
	return err;
}

/* The log says when it begins and when it ends, and not every time in between. */
static void note_health(struct collector *collector, bool failing, const char *why)
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

/* What went wrong is the answer as well, as it would be on standard error. */
static int answer(struct collector *collector, int socket, enum question question)
{
	cleanup_free char *text = NULL, *why = NULL;
	size_t size = 0, why_size = 0;
	FILE *out = open_memstream(&text, &size), *log = open_memstream(&why, &why_size);
	struct reply reply = { .status = 200 };
	int err = -ENOMEM;

	if (out && log) {
		log_capture(log);
		err = answer_question(collector, question, out);
		log_capture(NULL);
	}
	if ((out && fclose(out)) || (log && fclose(log)))
		return fail(-ENOMEM, "out of memory");
	note_health(collector, err, why ?: "");
	if (err) {
		free(text);
		text = why;
		size = why_size;
		why = NULL;
		reply.status = 503;
	}
	reply.size = size;
	return send_all(socket, &reply, sizeof(reply)) ?: send_all(socket, text, size);
}

int collector_run(int socket, size_t max_ports, const char *address)
{
	struct collector collector = { .max_ports = max_ports };
	unsigned char question;
	int err = port_watch_open(&collector.ports, NULL, NULL, NULL);

	while (!err && recv(socket, &question, 1, 0) == 1) {
		if (question == ASK_READY) {
			printf("listening on http://%s/metrics\n", address);
			fflush(stdout);
		} else {
			err = answer(&collector, socket, question);
		}
	}
	metrics_history_clear(&collector.history);
	port_watch_free(collector.ports);
	return err ?: -EPIPE;
}
