// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/datapath_knock.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "kernel/datapath_internal.h"
#include "kernel/needs.h"
#include "kernel/pins.h"

static int fail_pin(const struct datapath *dp, int err, const char *pin)
{
	return fail(err, "cannot use %s/%s: %s", dp->path, pin, datapath_reason(err));
}

/* The elements of a hash map as they are read: each a key, and its value right behind it. */
struct elements {
	char *list; /* to be freed, also after a failure */
	size_t count;
	size_t key_size; /* bytes */
	size_t size; /* of key and value together */
	bool (*keep)(const void *element); /* whether to list an element */
};

static int read_elements(int map, struct elements *elements)
{
	cleanup_free char *key = malloc(elements->key_size);
	size_t room = 0;
	bool first = true;

	if (!key)
		return -ENOMEM;
	while (!bpf_map_get_next_key(map, first ? NULL : key, key)) {
		char *element;

		first = false;
		if (array_reserve(&elements->list, &room, elements->count, elements->size))
			return -ENOMEM;
		element = elements->list + elements->count * elements->size;
		memcpy(element, key, elements->key_size);
		/* An element that was removed meanwhile is not counted. */
		elements->count +=
			!bpf_map_lookup_elem(map, key, element + elements->key_size) &&
			elements->keep(element);
	}
	return 0;
}

static int read_pinned(const struct datapath *dp, const char *pin, struct elements *elements)
{
	cleanup_close int map = pin_open(dp, NULL, pin);
	int err = map < 0 ? map : read_elements(map, elements);

	if (err && err != -ENOENT)
		return fail_pin(dp, err, pin);
	return 0;
}

static bool grant_is_valid(const void *element)
{
	const struct granted *granted = element;

	return granted->grant.deadline > since_boot();
}

/*
 * Whether a grant can be removed. A grant of a timed door stays while its window is valid, so
 * that the same knock cannot be repeated.
 */
static bool grant_is_removable(const void *element)
{
	const struct granted *granted = element;
	__u64 present = utc_now() / 1000000000 / WINDOW_SECONDS;

	return !grant_is_valid(element) && granted->grant.window + 1 < present;
}

static bool grant_is_any(const void *element)
{
	(void)element;
	return true;
}

static int list_grants(const struct datapath *dp, bool (*keep)(const void *element),
		       struct granted **list, size_t *count)
{
	struct elements elements = {
		.key_size = sizeof(struct grant_key),
		.size = sizeof(struct granted),
		.keep = keep,
	};
	int err = read_pinned(dp, "grants", &elements);

	*list = (struct granted *)elements.list;
	*count = elements.count;
	return err;
}

int datapath_grants(const struct datapath *dp, struct granted **list, size_t *count)
{
	return list_grants(dp, grant_is_valid, list, count);
}

/* Whether a grant for the rule's door is for this source. For IPv6 it may be for a /64. */
static bool grant_is_for(const struct granted *granted, const struct rule *rule,
			 const struct prefix *source)
{
	size_t size = source->family == 4 ? 4 : rule->knock->per_net ? 8 : 16;

	return granted->key.family == source->family &&
	       !memcmp(granted->key.address, source->address, size) &&
	       !(rule->knock->once && granted->grant.opener);
}

__u64 datapath_granted_doors(const struct granted *list, size_t count,
			     const struct ruleset *ruleset, const struct prefix *source)
{
	__u64 doors = 0;

	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = ruleset_door(ruleset, list[i].key.door);

		if (rule && grant_is_for(&list[i], rule, source))
			doors |= 1ull << (rule->door - 1);
	}
	return doors;
}

int datapath_ended_grants(const struct datapath *dp, __u64 from, __u64 to,
			  struct granted **list, size_t *count)
{
	size_t all, kept = 0;
	int err = list_grants(dp, grant_is_any, list, &all);

	for (size_t i = 0; i < all && !err; i++) {
		__u64 deadline = (*list)[i].grant.deadline;

		if (deadline > from && deadline <= to)
			(*list)[kept++] = (*list)[i];
	}
	*count = kept;
	return err;
}

static bool is_locked_out(const void *element)
{
	const struct locked_out *locked = element;

	return locked->lockout.failures >= LOCKOUT_FAILURES &&
	       since_boot() - locked->lockout.last < LOCKOUT_SECONDS * 1000000000ull;
}

_Static_assert(sizeof(struct granted) == sizeof(struct grant_key) + sizeof(struct grant),
	       "the value lies right behind the key");
_Static_assert(offsetof(struct locked_out, lockout) == sizeof(struct lockout_key),
	       "the value lies right behind the key");

int datapath_lockouts(const struct datapath *dp, struct locked_out **list, size_t *count)
{
	struct elements elements = {
		.key_size = sizeof(struct lockout_key),
		.size = sizeof(struct locked_out),
		.keep = is_locked_out,
	};
	int err = read_pinned(dp, "lockouts", &elements);

	*list = (struct locked_out *)elements.list;
	*count = elements.count;
	return err;
}

/* Makes room for new grants, by the same rule as the data path (bpf/knock/grant.h). */
static void remove_ended_grants(int map)
{
	struct elements elements = {
		.key_size = sizeof(struct grant_key),
		.size = sizeof(struct granted),
		.keep = grant_is_removable,
	};
	int err = read_elements(map, &elements);
	cleanup_free struct granted *list = (struct granted *)elements.list;

	for (size_t i = 0; i < elements.count && !err; i++)
		bpf_map_delete_elem(map, &list[i].key);
}

int datapath_grant(const struct datapath *dp, const struct grant_key *key, __u64 deadline)
{
	struct grant grant = { 0 };
	cleanup_close int map = pin_open(dp, NULL, "grants");

	if (map == -ENOENT)
		return fail(map, "portctl is attached to no interface: portctl attach IFACE");
	if (map < 0)
		return fail_pin(dp, map, "grants");
	bpf_map_lookup_elem(map, key, &grant); /* keep the window of a timed door, if any */
	grant.deadline = deadline;
	grant.opener = 0;
	if (!bpf_map_update_elem(map, key, &grant, BPF_ANY))
		return 0;
	if (errno == E2BIG) {
		remove_ended_grants(map);
		if (!bpf_map_update_elem(map, key, &grant, BPF_ANY))
			return 0;
	}
	if (errno == E2BIG)
		return fail(-E2BIG,
			    "there are %d grants already, which is the limit: remove one with "
			    "\"portctl knock revoke\"",
			    MAX_GRANTS);
	return fail_pin(dp, -errno, "grants");
}

int datapath_revoke(const struct datapath *dp, const struct grant_key *key)
{
	cleanup_close int map = pin_open(dp, NULL, "grants");
	struct grant grant;

	if (map == -ENOENT)
		return map;
	if (map < 0)
		return fail_pin(dp, map, "grants");
	if (bpf_map_lookup_elem(map, key, &grant))
		return -errno;
	if (grant.deadline <= since_boot())
		return -ENOENT;
	if (!grant.window)
		return bpf_map_delete_elem(map, key) ? -errno : 0;
	grant.deadline = 0; /* the window stays used: the same knock cannot be repeated */
	return bpf_map_update_elem(map, key, &grant, BPF_EXIST) ? -errno : 0;
}

int datapath_attempts(const struct datapath *dp, __u64 **words, size_t *count)
{
	struct attempts *sets;
	size_t size;
	int err = pin_map_shared(dp, "attempts", sizeof(*sets), (void **)&sets, count);

	*words = NULL;
	if (err)
		return fail_pin(dp, err, "attempts");
	size = *count * sizeof(*sets);
	*words = malloc(size + 1);
	if (*words && sets)
		memcpy(*words, sets, size);
	pin_unmap(sets, size);
	*count = size / sizeof(**words);
	return *words ? 0 : out_of_memory();
}

int datapath_door_counts(const struct datapath *dp, __u32 door, struct door_counts *counts)
{
	struct door_counts *list;
	size_t count;
	int err = pin_map_shared(dp, "door_counts", sizeof(*list), (void **)&list, &count);

	*counts = (struct door_counts){ 0 };
	if (err)
		return fail_pin(dp, err, "door_counts");
	if (door - 1 < count)
		*counts = list[door - 1];
	pin_unmap(list, count * sizeof(*list));
	return 0;
}

static int map_windows(const struct datapath *dp, struct windows **list, size_t *count)
{
	return pin_map_shared(dp, "windows", sizeof(**list), (void **)list, count);
}

/* Sets the number to 0 meanwhile, so that a packet finds the old window, none, or the new. */
static void set_window(struct window *window, const struct window *next)
{
	if (!memcmp(window, next, sizeof(*window)))
		return;
	__atomic_store_n(&window->number, 0, __ATOMIC_SEQ_CST);
	window->sequence = next->sequence;
	__atomic_store_n(&window->number, next->number, __ATOMIC_SEQ_CST);
}

int datapath_windows(const struct datapath *dp, __u32 door, const struct window list[WINDOWS],
		     __u32 seconds)
{
	struct windows *all;
	size_t count;
	int err = map_windows(dp, &all, &count);

	if (err)
		return fail_pin(dp, err, "windows");
	if (door - 1 >= count)
		return -ENOENT;
	for (int i = 0; list && i < WINDOWS; i++)
		set_window(&all[door - 1].list[i], &list[i]);
	all[door - 1].until = since_boot() + seconds * 1000000000ull;
	pin_unmap(all, count * sizeof(*all));
	return 0;
}

bool datapath_is_timed(const struct datapath *dp, __u32 door)
{
	struct windows *all;
	size_t count;
	bool timed;

	if (map_windows(dp, &all, &count))
		return false;
	timed = door - 1 < count && all[door - 1].until > since_boot();
	pin_unmap(all, count * sizeof(*all));
	return timed;
}

static int clear_windows(const struct datapath *dp, __u32 door)
{
	static const struct window none[WINDOWS];
	int err = datapath_windows(dp, door, none, 0);

	return err == -ENOENT ? 0 : err;
}

static int clear_counts(const struct datapath *dp, __u32 door)
{
	struct door_counts *list;
	size_t count;
	int err = pin_map_shared(dp, "door_counts", sizeof(*list), (void **)&list, &count);

	if (!err && door - 1 < count)
		list[door - 1] = (struct door_counts){ 0 };
	pin_unmap(list, count * sizeof(*list));
	return err;
}

static int clear_attempts(const struct datapath *dp, __u32 door)
{
	struct attempts *sets;
	size_t count;
	int err = pin_map_shared(dp, "attempts", sizeof(*sets), (void **)&sets, &count);

	for (size_t i = 0; i < count * ATTEMPT_WAYS; i++) {
		__u64 *word = &sets[i / ATTEMPT_WAYS].words[i % ATTEMPT_WAYS];
		union attempt old = { *word };

		/* Meanwhile packets can change the attempts at other doors only. */
		if (old.word && old.sequence / DOOR_SEQUENCES == door - 1)
			__sync_bool_compare_and_swap(word, old.word, 0);
	}
	pin_unmap(sets, count * sizeof(*sets));
	return err;
}

static int clear_grants(const struct datapath *dp, __u32 door)
{
	cleanup_free struct granted *list = NULL;
	size_t count;
	int err = datapath_grants(dp, &list, &count);

	for (size_t i = 0; i < count && !err; i++) {
		if (list[i].key.door == door)
			datapath_revoke(dp, &list[i].key);
	}
	return err;
}

int door_clear(const struct datapath *dp, __u32 door)
{
	return clear_counts(dp, door) ?: clear_attempts(dp, door) ?: clear_windows(dp, door)
		?: clear_grants(dp, door);
}
