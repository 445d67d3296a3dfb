// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/datapath_events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/folder.h"
#include "base/log.h"
#include "kernel/needs.h"
#include "kernel/pins.h"

#define RING_SIZE (1 << 20)

/* A bit less than a second, so that a call once a second never comes too early. */
#define SAMPLING_NANOSECONDS 900000000ull

struct watcher {
	int place_lock; /* lock file of the place; the kernel unlocks it after a kill */
	__u32 place;
	__u64 created; /* control->created of the data path that is watched */
	int events; /* the map with a ring buffer for each place */
	struct control *control;
	struct ring_buffer *ring;
	void (*call)(const struct event *event, void *data);
	void *data;
};

int datapath_event_counts(const struct datapath *dp, struct event_count counts[EVENT_KINDS])
{
	struct event_count *list;
	size_t count;
	int err = pin_map_shared(dp, "event_counts", sizeof(*list), (void **)&list, &count);

	memset(counts, 0, EVENT_KINDS * sizeof(*counts));
	if (list && count == EVENT_KINDS)
		memcpy(counts, list, EVENT_KINDS * sizeof(*counts));
	else if (list)
		err = -EPROTO;
	pin_unmap(list, sizeof(*list) * count);
	return err ? fail(err, "cannot read %s/event_counts: %s", dp->path,
			  datapath_reason(err))
		   : 0;
}

static int lock_place(__u32 place)
{
	char path[PATH_MAX], file[32];
	int fd;

	snprintf(file, sizeof(file), "monitor%u", place);
	fd = run_path(file, path);
	if (fd)
		return fd;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	close(fd);
	return -EBUSY;
}

static void empty_place(struct control *control, int events, __u32 place)
{
	__atomic_fetch_and(&control->watchers, ~(1u << place), __ATOMIC_SEQ_CST);
	bpf_map_delete_elem(events, &place);
}

/* Takes the first free place. Also empties the places of watchers that were killed. */
static int take_place(struct watcher *watcher)
{
	int err = -EBUSY;

	for (__u32 place = 0; place < MONITORS; place++) {
		int fd = lock_place(place);

		if (fd < 0) {
			err = fd == -EBUSY ? err : fd;
			continue;
		}
		empty_place(watcher->control, watcher->events, place);
		if (watcher->place_lock >= 0) {
			close(fd);
			continue;
		}
		watcher->place_lock = fd;
		watcher->place = place;
	}
	return watcher->place_lock >= 0 ? 0 : err;
}

static int deliver_event(void *data, void *event, size_t size)
{
	struct watcher *watcher = data;

	if (size == sizeof(struct event))
		watcher->call(event, watcher->data);
	return 0;
}

static int make_ring(struct watcher *watcher)
{
	cleanup_close int fd =
		bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, RING_SIZE, NULL);

	if (fd < 0)
		return -errno;
	watcher->ring = ring_buffer__new(fd, deliver_event, watcher, NULL);
	if (!watcher->ring ||
	    bpf_map_update_elem(watcher->events, &watcher->place, &fd, BPF_ANY))
		return -errno;
	return 0;
}

static int map_control(const struct datapath *dp, struct watcher *watcher)
{
	char path[PATH_MAX];
	int err;

	watcher->events = pin_open(dp, NULL, "events");
	if (watcher->events < 0)
		return watcher->events;
	pin_path(dp, NULL, "control", path);
	err = pin_map(path, (void **)&watcher->control, NULL, NULL);
	if (!err)
		watcher->created = watcher->control->created;
	return err;
}

/* All watchers share this number: another one may raise it, but not lower it. */
static void set_samples(const struct watcher *watcher, __u32 samples)
{
	struct control *control = watcher->control;
	__u32 others = control->watchers & ~(1u << watcher->place);

	if (!others || control->samples < samples)
		control->samples = samples;
}

int datapath_watch(struct datapath *dp, __u32 samples, struct watcher **watcher)
{
	struct watcher *made = calloc(1, sizeof(*made));
	int err;

	if (!made)
		return out_of_memory();
	*made = (struct watcher){ .place_lock = -1, .events = -1 };
	err = map_control(dp, made) ?: take_place(made) ?: make_ring(made);
	if (!err) {
		set_samples(made, samples);
		__atomic_fetch_or(&made->control->watchers, 1u << made->place,
				  __ATOMIC_SEQ_CST);
		*watcher = made;
		return 0;
	}
	watcher_free(made);
	if (err == -EBUSY)
		return fail(err,
			    "%d processes watch already, which is the limit: end one first",
			    MONITORS);
	return fail(err, "cannot watch: %s", datapath_reason(err));
}

int watcher_wait(struct watcher *watcher, int milliseconds,
		 void (*call)(const struct event *event, void *data), void *data)
{
	watcher->call = call;
	watcher->data = data;
	return ring_buffer__poll(watcher->ring, milliseconds);
}

void watcher_refill(const struct watcher *watcher, const struct datapath *dp)
{
	__u64 now = since_boot(), last = watcher->control->sampled_at;

	if (now - last < SAMPLING_NANOSECONDS ||
	    !__sync_bool_compare_and_swap(&watcher->control->sampled_at, last, now))
		return;
	for (size_t i = 0; i < dp->count; i++)
		memset(dp->interfaces[i].sampling, 0, sizeof(struct sampling));
}

__u32 watcher_generation(const struct watcher *watcher)
{
	return __atomic_load_n(&watcher->control->generation, __ATOMIC_ACQUIRE);
}

bool watcher_belongs(const struct watcher *watcher, const struct datapath *dp)
{
	return dp->control && dp->control->created == watcher->created;
}

void watcher_free(struct watcher *watcher)
{
	if (!watcher)
		return;
	if (watcher->place_lock >= 0) {
		empty_place(watcher->control, watcher->events, watcher->place);
		close(watcher->place_lock);
	}
	ring_buffer__free(watcher->ring);
	pin_unmap(watcher->control, sizeof(*watcher->control));
	if (watcher->events >= 0)
		close(watcher->events);
	free(watcher);
}
