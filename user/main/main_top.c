// SPDX-License-Identifier: GPL-2.0-only
/* top: the busiest ports on the whole screen. */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/* curses.h has a macro of this name, which is a field in portctl.h. */
#undef lines

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/programs.h"
#include "kernel/datapath_events.h"
#include "main/program.h"
#include "main/screen.h"
#include "print/top.h"
#include "rules/prefix.h"
#include "state/snapshot.h"

#define SCREEN_COLUMNS_MIN 20
#define SCREEN_ROWS_MIN 5
#define WAIT_MILLISECONDS 100
#define FILTER_MAX 31
#define SOURCES_MAX 256
#define SOURCES_SHOWN 3

/* Samples of packets from one source that were dropped at one port. */
struct source_count {
	__u32 key;
	__u32 family;
	__u8 address[16];
	unsigned long count;
};

struct top {
	unsigned long interval; /* seconds */
	struct port_counter *now; /* of the interfaces that are shown, added up */
	struct port_counter *before; /* NULL: there is nothing to compare with */
	double seconds; /* from `before` to `now` */
	struct timespec taken;
	struct port_counter total; /* of all lines of these interfaces */
	struct port_counter total_before;
	char iface[IFNAMSIZ]; /* the only interface to show; empty: all */
	char shown[64]; /* the names of these interfaces, and their modes */
	bool paused;
	enum top_order order;
	struct top_filter filter;
	char text[FILTER_MAX + 1]; /* of the filter */
	bool typing;
	const char *complaint; /* about the filter */
	__u32 selected; /* key of the port under the cursor */
	struct watcher *watcher;
	bool unwatched; /* all places for watchers are taken */
	FILE *messages; /* errors, kept until the screen is closed */
	struct source_count sources[SOURCES_MAX];
	size_t source_count;
};

static volatile sig_atomic_t top_stopped;

static void top_stop(int signal)
{
	(void)signal;
	top_stopped = 1;
}

/* Finds the entry of a source, or makes one. If all are taken, the rarest is replaced. */
static struct source_count *place_for_source(struct top *top, const struct event *event)
{
	struct source_count *rarest = NULL;

	for (size_t i = 0; i < top->source_count; i++) {
		struct source_count *one = &top->sources[i];

		if (one->key == event->key && one->family == event->family &&
		    !memcmp(one->address, event->address, sizeof(one->address)))
			return one;
		if (!rarest || one->count < rarest->count)
			rarest = one;
	}
	if (top->source_count < SOURCES_MAX)
		rarest = &top->sources[top->source_count++];
	*rarest = (struct source_count){ .key = event->key, .family = event->family };
	memcpy(rarest->address, event->address, sizeof(rarest->address));
	return rarest;
}

static void note_source(const struct event *event, void *data)
{
	if ((event->kind == EVENT_DROP || event->kind == EVENT_REJECT) && event->family)
		place_for_source(data, event)->count++;
}

static void add_counters(struct port_counter *sum, const struct port_counter *counter)
{
	sum->pass.packets += counter->pass.packets;
	sum->pass.bytes += counter->pass.bytes;
	sum->drop.packets += counter->drop.packets;
	sum->drop.bytes += counter->drop.bytes;
}

/* Adds up the counters of the interfaces that are shown. */
static void fold(struct top *top, const struct snapshot *snapshot)
{
	memset(top->now, 0, PORT_KEYS * sizeof(*top->now));
	top->total = (struct port_counter){ 0 };
	*top->shown = 0;
	for (size_t i = 0; i < snapshot->dp.count; i++) {
		const struct interface *iface = &snapshot->dp.interfaces[i];
		size_t length = strlen(top->shown);

		if (*top->iface && strcmp(top->iface, iface->name))
			continue;
		snprintf(top->shown + length, sizeof(top->shown) - length, "%s%s (%s)",
			 length ? ", " : "", iface->name, iface->mode);
		add_counters(&top->total, &snapshot->stats[i].total);
		for (__u32 key = 0; key < PORT_KEYS; key++)
			add_counters(&top->now[key], &snapshot->stats[i].ports[key]);
	}
}

/* Watches events, for the sources. If all places for watchers are taken, shows no sources. */
static void follow_events(struct top *top, struct datapath *dp)
{
	if (top->watcher && !watcher_belongs(top->watcher, dp)) {
		watcher_free(top->watcher);
		top->watcher = NULL;
	}
	if (top->watcher)
		watcher_refill(top->watcher, dp);
	else if (dp->count && !top->unwatched)
		top->unwatched = datapath_watch(dp, EVENT_SAMPLES, &top->watcher);
	if (top->unwatched)
		rewind(top->messages); /* drop the error: top goes on without sources */
}

static double seconds_since(const struct timespec *then, const struct timespec *now)
{
	return (now->tv_sec - then->tv_sec) + (now->tv_nsec - then->tv_nsec) / 1e9;
}

/* Reads the counters, and keeps the last ones to compare with. */
static int top_collect(struct top *top)
{
	struct snapshot snapshot;
	struct port_counter *swap;
	int err = snapshot_take(&snapshot);

	if (!err) {
		swap = top->before ?: calloc(PORT_KEYS, sizeof(*swap));
		top->before = top->now;
		top->now = swap;
		top->total_before = top->total;
		err = swap ? 0 : out_of_memory();
	}
	if (!err) {
		fold(top, &snapshot);
		top->seconds = seconds_since(&top->taken, &snapshot.taken);
		top->taken = snapshot.taken;
		follow_events(top, &snapshot.dp);
	}
	snapshot_clear(&snapshot);
	return err;
}

/* Reads the counters of another choice of interfaces: there is nothing to compare with. */
static int top_collect_anew(struct top *top)
{
	int err = top_collect(top);

	free(top->before);
	top->before = NULL;
	return err;
}

static int next_interface(struct top *top)
{
	struct datapath dp;
	size_t i = 0;
	int err = datapath_open(&dp, DATAPATH_READ);

	while (*top->iface && i < dp.count && strcmp(dp.interfaces[i].name, top->iface))
		i++;
	i += *top->iface != 0;
	snprintf(top->iface, sizeof(top->iface), "%s",
		 i < dp.count ? dp.interfaces[i].name : "");
	datapath_close(&dp);
	return err ?: top_collect_anew(top);
}

static void put_screen_line(int row, const char *text)
{
	move(row, 0);
	clrtoeol();
	addnstr(text, COLS);
}

static void draw_head(const struct top *top)
{
	char line[TOP_LINE_MAX];
	bool rates = top->before;

	snprintf(
		line, sizeof(line), "%s  %.0f passed/s  %.0f dropped/s%s",
		*top->shown ? top->shown : "attached to no interface",
		rates ? stats_rate(&top->total_before.pass, &top->total.pass, top->seconds) : 0,
		rates ? stats_rate(&top->total_before.drop, &top->total.drop, top->seconds) : 0,
		top->paused ? "  paused" : "");
	put_screen_line(0, line);
	if (top->typing || top->complaint)
		snprintf(line, sizeof(line), "filter: %s%s%s", top->text,
			 top->complaint ? "  " : "", top->complaint ?: "");
	else
		snprintf(line, sizeof(line), "by %s%s%s", top_order_name(top->order),
			 *top->text ? ", only " : "", top->text);
	put_screen_line(1, line);
}

static void draw_row(const struct top *top, int at, const struct top_row *row, double most)
{
	char line[TOP_LINE_MAX];
	struct top_bar bar;

	top_line(row, COLS, most, line, &bar);
	if (row && row->key == top->selected)
		attron(A_REVERSE);
	put_screen_line(at, line);
	attroff(A_REVERSE);
	if (!has_colors() || bar.end == bar.passed)
		return;
	mvchgat(at, bar.passed, bar.dropped - bar.passed, A_NORMAL, COLOUR_PASSED, NULL);
	mvchgat(at, bar.dropped, bar.end - bar.dropped, A_NORMAL, COLOUR_DROPPED, NULL);
}

/* Shows the most frequent sources of the port under the cursor. */
static void draw_sources(const struct top *top, int row)
{
	char line[TOP_LINE_MAX], text[ADDRESS_TEXT];
	const struct source_count *last = NULL;
	int at = snprintf(line, sizeof(line), "dropped at %u/%s:", key_port(top->selected),
			  key_protocol(top->selected));

	for (int shown = 0; shown < SOURCES_SHOWN; shown++) {
		const struct source_count *best = NULL;

		for (size_t i = 0; i < top->source_count; i++) {
			const struct source_count *one = &top->sources[i];
			bool later = !last || one->count < last->count ||
				     (one->count == last->count && one > last);

			if (one->key == top->selected && later &&
			    (!best || one->count > best->count))
				best = one;
		}
		if (!best)
			break;
		at += snprintf(line + at, sizeof(line) - at, " %s (%lu)",
			       address_text(best->address, best->family, text), best->count);
		last = best;
	}
	put_screen_line(row, last ? line : "");
}

/*
 * The first row to show, so that the row of the cursor is on the screen. If the port of the
 * cursor is gone, the cursor moves to the first row.
 */
static size_t first_shown(struct top *top, const struct top_row *rows, size_t count,
			  size_t room)
{
	size_t at = 0;

	while (at < count && rows[at].key != top->selected)
		at++;
	if (at == count)
		at = 0;
	if (count)
		top->selected = rows[at].key;
	return at < room ? 0 : at - room + 1;
}

static void move_cursor(struct top *top, int by)
{
	struct top_row *rows;
	size_t count = top_rows(top->now, top->before, top->seconds, &top->filter, &rows),
	       at = 0;

	top_sort(rows, count, top->order);
	while (at < count && rows[at].key != top->selected)
		at++;
	if (count && at < count && (by > 0 ? at + 1 < count : at > 0))
		top->selected = rows[at + by].key;
	free(rows);
}

static void draw_rows(struct top *top, int room)
{
	struct top_row *rows;
	size_t count = top_rows(top->now, top->before, top->seconds, &top->filter, &rows);
	size_t first;
	double most = 0;

	top_sort(rows, count, top->order);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].passed + rows[i].dropped > most)
			most = rows[i].passed + rows[i].dropped;
	}
	first = first_shown(top, rows, count, room);
	for (int i = 0; i < room; i++) {
		if (first + i < count)
			draw_row(top, 3 + i, &rows[first + i], most);
		else
			put_screen_line(3 + i, "");
	}
	free(rows);
}

static void draw(struct top *top)
{
	if (LINES < SCREEN_ROWS_MIN || COLS < SCREEN_COLUMNS_MIN) {
		erase();
		mvaddnstr(0, 0, "too small", COLS);
		refresh();
		return;
	}
	draw_head(top);
	draw_row(top, 2, NULL, 0);
	draw_rows(top, LINES - 5);
	draw_sources(top, LINES - 2);
	put_screen_line(LINES - 1,
			"q quit  / filter  i interface  space pause  by: r rate  p packets  "
			"b bytes  d dropped  o port");
	refresh();
}

/* Takes a key while the filter is typed. */
static void type_key(struct top *top, int key)
{
	size_t length = strlen(top->text);

	if (key == '\n' || key == KEY_ENTER) {
		top->typing = false;
		top->complaint = top_filter_parse(top->text, &top->filter)
					 ? "is not a port, range, service, tcp or udp"
					 : NULL;
	} else if (key == 27) {
		top->typing = false;
		*top->text = 0;
		top->filter = (struct top_filter){ 0 };
	} else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && length) {
		top->text[length - 1] = 0;
	} else if (key > ' ' && key < 127 && length < FILTER_MAX) {
		top->text[length] = key;
		top->text[length + 1] = 0;
	}
}

static int press_key(struct top *top, int key)
{
	static const char orders[TOP_ORDERS + 1] = "rpbdo";
	const char *order = key > 0 && key < 127 ? strchr(orders, key) : NULL;

	if (top->typing) {
		type_key(top, key);
	} else if (key == 'q') {
		top_stopped = 1;
	} else if (key == '/') {
		top->typing = true;
		top->complaint = NULL;
		*top->text = 0;
	} else if (key == 'i') {
		return next_interface(top);
	} else if (key == ' ') {
		top->paused = !top->paused;
	} else if (key == KEY_DOWN || key == 'j') {
		move_cursor(top, 1);
	} else if (key == KEY_UP || key == 'k') {
		move_cursor(top, -1);
	} else if (order) {
		top->order = order - orders;
	}
	return 0;
}

/* Waits a moment for keys, and takes them. Returns false if the terminal is gone. */
static bool wait_for_key(struct top *top, int *err)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	int key;

	if (poll(&input, 1, WAIT_MILLISECONDS) < 0)
		return errno == EINTR;
	if (top->watcher)
		watcher_wait(top->watcher, 0, note_source, top);
	if (input.revents & (POLLHUP | POLLERR | POLLNVAL))
		return false;
	while (!*err && (key = getch()) != ERR) {
		*err = press_key(top, key);
		draw(top);
	}
	return true;
}

static int show(struct top *top)
{
	struct timespec now;
	int err = top_collect_anew(top);

	while (!err && !top_stopped && wait_for_key(top, &err)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (!err && !top->paused && seconds_since(&top->taken, &now) >= top->interval)
			err = top_collect(top);
		draw(top);
	}
	return err;
}

/* Errors would be lost with the screen, so they are printed after it is closed. */
static int show_on_screen(struct top *top)
{
	cleanup_free char *text = NULL;
	size_t size;
	int err;

	top->messages = open_memstream(&text, &size);
	if (!top->messages)
		return out_of_memory();
	err = screen_open();
	if (!err) {
		log_capture(top->messages);
		err = show(top);
		log_capture(NULL);
		screen_close();
	}
	if (!fclose(top->messages) && err)
		fwrite(text, 1, size, stderr);
	return err;
}

static int top_show(unsigned long interval)
{
	cleanup_free struct top *top = calloc(1, sizeof(*top));
	int err;

	if (!top)
		return out_of_memory();
	top->interval = interval;
	top->now = calloc(PORT_KEYS, sizeof(*top->now));
	err = top->now ? show_on_screen(top) : out_of_memory();
	watcher_free(top->watcher);
	free(top->now);
	free(top->before);
	return err;
}

static int top_run(const struct command *command, int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = top_stop };
	struct top_options options = { .interval = 1 };
	int status = command_parse(command, &argc, argv, &options);

	if (status)
		return status;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	return top_show(options.interval) ? EXIT_REFUSED : EXIT_DONE;
}

int main(int argc, char **argv)
{
	return program_of_one(&cmd_top_entry, top_run, argc, argv);
}
