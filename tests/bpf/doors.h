/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of knocks: a program loaded with rules that have knocks, sources that touch ports, and
 * checks whether a door is open. Time passes by subtracting seconds from times in the maps.
 */
#ifndef DOORS_H
#define DOORS_H

#include <arpa/inet.h>

#include "charged.h"
#include "packet_case.h"

struct doors {
	struct filter filter;
	struct attempts *attempts;
	struct door_counts *counts;
};

#define ATTEMPTS_SIZE (ATTEMPT_SETS * sizeof(struct attempts))

static inline void doors_load(struct doors *doors, const char *rules)
{
	load_rules(&doors->filter, rules);
	doors->attempts = map_memory(doors->filter.program->maps.attempts, ATTEMPTS_SIZE);
	doors->counts = map_memory(doors->filter.program->maps.door_counts,
				   MAX_DOORS * sizeof(*doors->counts));
}

static inline void doors_close(struct doors *doors)
{
	munmap(doors->attempts, ATTEMPTS_SIZE);
	munmap(doors->counts, MAX_DOORS * sizeof(*doors->counts));
	filter_close(&doors->filter);
}

/* A source: 192.0.2.`number`, or over IPv6 the address `end` in the /64 with that number. */
struct source {
	__u8 family;
	__u8 number; /* the last byte of 192.0.2.0/24, or of an IPv6 /64 prefix */
	__u8 end; /* the last byte of an IPv6 address */
};

static const struct source one = { 4, 1, 0 }, other = { 4, 2, 0 };

static inline __u32 send_frame(const struct doors *doors, struct source source,
			       struct layer layer)
{
	struct layer layers[LAYERS_MAX] = { IP4(), layer };
	struct frame frame;
	__u32 verdict;

	if (source.family == 6)
		layers[0] = (struct layer)IP6();
	build(&frame, layers);
	if (source.family == 4)
		frame.bytes[ETHERNET_HEADER + 15] = source.number;
	else
		frame.bytes[ETHERNET_HEADER + 15] = source.number,
					      frame.bytes[ETHERNET_HEADER + 23] = source.end;
	if (filter_run(&doors->filter, &frame, 1, &verdict))
		tap_bail("a frame could not be run");
	return verdict;
}

/* Sends a SYN or a datagram to a port key. Returns the verdict. */
static inline __u32 touch(const struct doors *doors, struct source source, __u32 key)
{
	return send_frame(doors, source,
			  key < PORT_KEY_UDP ? (struct layer)TCP(key)
					     : (struct layer)UDP(key - PORT_KEY_UDP));
}

/* Touches several ports, all of which must drop silently. */
static inline void touch_all(const struct doors *doors, struct source source, const __u32 *keys,
			     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (touch(doors, source, keys[i]) != DROP)
			tap_wrong("touching key %u was answered", keys[i]);
	}
}

#define TOUCH(doors, source, ...)                                                              \
	touch_all(doors, source, (const __u32[]){ __VA_ARGS__ },                               \
		  ARRAY_SIZE(((const __u32[]){ __VA_ARGS__ })))

/* `count` sources take the first step, so that the table of attempts is full. */
static inline void flood_first_steps(const struct doors *doors, __u32 count)
{
	struct frame frame;
	__u32 verdict;

	BUILD(&frame, IP4(), TCP(7000));
	for (__u32 i = 0; i < count; i++) {
		__u32 source = htonl(0x0A000000 + i);

		memcpy(frame.bytes + ETHERNET_HEADER + 12, &source, sizeof(source));
		filter_run(&doors->filter, &frame, 1, &verdict);
	}
}

static inline bool is_open(const struct doors *doors, struct source source)
{
	return touch(doors, source, T(22)) == PASS;
}

static inline void expect_open(const struct doors *doors, struct source source, bool open)
{
	if (is_open(doors, source) != open)
		tap_wrong("the door is %s", open ? "shut" : "open");
}

static inline void expect_count(const char *what, __u64 count, __u64 expected)
{
	if (count != expected)
		tap_wrong("%s: %llu, not %llu", what, count, expected);
}

/* Makes all attempts older by this many seconds. */
static inline void age_attempts(const struct doors *doors, unsigned int seconds)
{
	__u64 ticks = (seconds * 1000000000ull >> ATTEMPT_TICK) + 1;

	for (size_t i = 0; i < ATTEMPT_SETS * ATTEMPT_WAYS; i++) {
		__u64 *word = &doors->attempts[i / ATTEMPT_WAYS].words[i % ATTEMPT_WAYS];
		union attempt attempt = { *word };

		attempt.began -= ticks;
		if (*word)
			*word = attempt.word;
	}
}

/* Changes each element of a hash map with `change`. `key` and `value` are buffers for one. */
static inline void each_element(const struct bpf_map *map, void *key, void *value,
				void (*change)(void *value, __u64 by), __u64 by)
{
	int fd = bpf_map__fd(map);
	bool first = true;

	while (!bpf_map_get_next_key(fd, first ? NULL : key, key)) {
		first = false;
		if (bpf_map_lookup_elem(fd, key, value))
			tap_bail("cannot read %s", bpf_map__name(map));
		change(value, by);
		if (bpf_map_update_elem(fd, key, value, BPF_EXIST))
			tap_bail("cannot write %s", bpf_map__name(map));
	}
}

static inline void age_grant(void *value, __u64 by)
{
	((struct grant *)value)->deadline -= by;
}

static inline void age_grants(const struct doors *doors, unsigned int seconds)
{
	struct grant_key key;
	struct grant grant;

	each_element(doors->filter.program->maps.grants, &key, &grant, age_grant,
		     seconds * 1000000000ull);
}

#endif
