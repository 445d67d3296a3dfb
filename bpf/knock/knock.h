/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Knocks: what a touch of a shut port does. A source has one attempt at each sequence that it
 * began. The right step advances the attempt, the step before it may be repeated, and any other
 * touch is a miss. After too many misses the attempt has failed, so no port scan completes a
 * sequence.
 */
#ifndef KNOCK_KNOCK_H
#define KNOCK_KNOCK_H

#include "base/event.h"
#include "base/maps.h"
#include "knock/attempt.h"
#include "knock/door.h"
#include "knock/grant.h"
#include "knock/lockout.h"
#include "packet/headers.h"
#include "packet/packet.h"

#define KNOCK_TRIES 4 /* other CPUs can change the same attempt at the same time */

static __always_inline __u32 door_of_sequence(__u32 number)
{
	return number / DOOR_SEQUENCES + 1;
}

/* The windows of the timed door that has this sequence. */
static __always_inline struct windows *windows_of_sequence(__u32 number)
{
	__u32 index = number / DOOR_SEQUENCES;

	return bpf_map_lookup_elem(&windows, &index);
}

/* The window of a timed door that has this sequence; NULL if it is not valid now. */
static __always_inline const struct window *window_of_sequence(__u32 number)
{
	struct windows *known = windows_of_sequence(number);
	struct window *window;

	if (!known || boot_now() >= known->until)
		return NULL;
	window = &known->list[number % WINDOWS];
	return window->number + 1 - present_window() <= 2 ? window : NULL;
}

/* The sequence with this number; NULL if there is none, or it is not valid now. */
static __always_inline const struct sequence *sequence_of(const struct door *door, __u32 number)
{
	const struct window *window;

	if (door->flags & DOOR_TIMED) {
		window = window_of_sequence(number);
		return window ? &window->sequence : NULL;
	}
	/* The second remainder only proves the bound to the verifier. */
	return number % DOOR_SEQUENCES < SEQUENCES ? &door->sequences[number % SEQUENCES]
						   : NULL;
}

/*
 * Whether knocks of this source at a door are accepted: it is not locked out, or it has a grant
 * for the door. Not inlined: the verifier checks it once, not for each try of the caller.
 */
__noinline int accepts_knock(const struct flow_key *flow, __u32 slot, __u32 door)
{
	return flow && (!is_locked_out(flow) || find_grant(flow, slot, door));
}

/*
 * What a touch of `key` does to one sequence; returns enum knocked. The attempt is changed by
 * compare-and-swap: two touches of a source can arrive on two CPUs, and then only one of them
 * may have its effect.
 */
__noinline int knock_sequence(__u64 hash, __u32 slot, __u32 number, __u32 key,
			      const struct flow_key *flow)
{
	__u32 sequence_number = number % SEQUENCE_NUMBERS;
	const struct door *door = &table[slot & 1].doors[sequence_number / DOOR_SEQUENCES];
	const struct sequence *sequence = sequence_of(door, sequence_number);
	union attempt wanted = { .sequence = sequence_number, .tag = attempt_tag(hash) };
	struct attempts *set = attempts_of(hash);
	__u64 now = attempt_now();

	if (!set || !sequence || !sequence->count)
		return KNOCKED_NOTHING;
	for (int try = 0; try < KNOCK_TRIES; try++) {
		union attempt old, new;
		int index = attempt_find(set, wanted, now, &old) & (ATTEMPT_WAYS - 1);
		bool begun = attempt_has_begun(old, wanted);
		enum knocked knocked;

		if (begun && !attempt_is_old(old, now, door->window))
			new = attempt_next(old, sequence, door, key, &knocked);
		else
			new = attempt_first(wanted, now, sequence, key, &knocked);
		if (knocked == KNOCKED_NOTHING)
			return knocked;
		if (!accepts_knock(flow, slot, door_of_sequence(sequence_number)))
			return KNOCKED_REFUSED;
		if (!begun && !new.word) /* a sequence of one step leaves no attempt behind */
			return knocked;
		if (__sync_val_compare_and_swap(&set->words[index], old.word, new.word) ==
		    old.word)
			return knocked;
	}
	return KNOCKED_NOTHING;
}

/* Opens or closes a door after a complete sequence. */
static __always_inline enum event_kind finish_sequence(const struct flow_key *flow, __u32 slot,
						       __u32 number, struct door_counts *counts)
{
	__u32 door = door_of_sequence(number);
	const struct door *opened = door_at(slot, door);
	const struct window *window = NULL;
	bool timed = opened->flags & DOOR_TIMED;
	__u64 used = 0;

	if (timed) {
		window = window_of_sequence(number);
		used = window ? window->number : 0;
	}
	if (!timed && number % DOOR_SEQUENCES == SEQUENCE_CLOSE) {
		if (!remove_grant(flow, slot, door))
			return EVENT_NONE;
		count_one(&counts->closed);
		return EVENT_CLOSE;
	}
	if (timed && used <= used_window(flow, slot, door)) {
		count_one(&counts->replays);
		return EVENT_REPLAY;
	}
	if (!make_grant(flow, slot, door, opened->seconds, used)) {
		count_one(&counts->refusals);
		return EVENT_REFUSAL;
	}
	count_one(&counts->grants);
	return EVENT_GRANT;
}

/*
 * Counts what a touch did, and opens or closes the door if it completed the sequence. Returns
 * the event to publish. `failed_before`: the same touch failed in another sequence already; for
 * a lockout both are one failure.
 */
static __always_inline enum event_kind count_knock(const struct flow_key *flow, __u32 slot,
						   __u32 number, int knocked,
						   bool failed_before,
						   struct door_counts *counts)
{
	switch (knocked) {
	case KNOCKED_REFUSED:
		count_one(&counts->refusals);
		return EVENT_REFUSAL;
	case KNOCKED_BEGIN:
		count_one(&counts->attempts);
		return EVENT_ATTEMPT;
	case KNOCKED_STEP:
		count_one(&counts->steps);
		return EVENT_STEP;
	case KNOCKED_MISS:
		count_one(&counts->misses);
		return EVENT_MISS;
	case KNOCKED_FAILED:
		count_one(&counts->misses);
		count_one(&counts->failures);
		return !failed_before && !find_grant(flow, slot, door_of_sequence(number)) &&
				       lockout_count_failure(flow)
			       ? EVENT_LOCKOUT
			       : EVENT_FAILURE;
	}
	return finish_sequence(flow, slot, number, counts);
}

/*
 * What one touch did, in one number: enum knocked for this sequence, and above it a bit for
 * each effect that it had in the sequences before.
 */
#define EFFECTS_KNOCKED_MASK 255
#define EFFECTS_BEFORE(knocked) (1u << (8 + (knocked)))

/* Counts and publishes what a touch did to one sequence. */
__noinline int apply_knock(struct xdp_md *ctx, const struct flow_key *flow, __u32 slot,
			   __u32 number, __u32 effects)
{
	__u32 door = door_of_sequence(number);
	struct door_counts *counts = counts_of(door);
	struct event event = { .door = door };
	enum event_kind kind;

	if (!flow || !counts)
		return 0;
	kind = count_knock(flow, slot, number, effects & EFFECTS_KNOCKED_MASK,
			   effects & EFFECTS_BEFORE(KNOCKED_FAILED), counts);
	if (is_watched() && kind != EVENT_NONE)
		publish_packet(ctx, kind, flow_port_key(flow), flow, &event);
	return 0;
}

/*
 * Whether a touch can have an effect on a sequence: the source has begun it, or `key` is its
 * first step. A door with signed knocks has no sequence. Whether the window of a timed door is
 * valid now takes two clocks, so only knock_sequence() checks that.
 */
static __always_inline bool touch_matters(__u32 slot, __u32 number, __u32 key, bool begun)
{
	const struct door *door = door_at(slot, door_of_sequence(number));
	const struct sequence *sequence = &door->sequences[number % SEQUENCES];
	struct windows *known;

	if (door->flags & DOOR_TIMED) {
		known = windows_of_sequence(number);
		return known &&
		       (begun || known->list[number % WINDOWS].sequence.steps[0] == key);
	}
	return number % DOOR_SEQUENCES < SEQUENCES && sequence->count &&
	       (begun || sequence->steps[0] == key);
}

/* Whether a port key is a step of any sequence, or the port of signed knocks. */
static __always_inline bool is_step(__u32 slot, __u64 key)
{
	__u64 index = key / 64;

	barrier_var(index); /* keeps the mask below, which proves the bound to the verifier */
	return (table[slot & 1].steps[index & (PORT_KEYS / 64 - 1)] >> (key & 63)) & 1;
}

/*
 * Handles a touch of a shut port by flow->remote. Only sequences that the source has begun, or
 * whose first step this port is, are looked at: a flood must not pay for all of them.
 */
static __always_inline void knock(struct xdp_md *ctx, const struct flow_key *flow, __u32 slot,
				  __u32 key)
{
	__u32 count = table[slot & 1].door_count * DOOR_SEQUENCES;
	__u64 hash = source_hash((const __u32 *)flow->remote, flow->family == 6);
	__u64 begun[BEGUN_WORDS] = { 0 };
	__u32 before = 0;

	if (!find_begun(hash, begun) && !is_step(slot, key))
		return;
	for (__u32 i = 0; i < SEQUENCE_NUMBERS && i < count; i++) {
		bool has_begun = (begun[i / 64] >> (i & 63)) & 1;
		int knocked = touch_matters(slot, i, key, has_begun)
				      ? knock_sequence(hash, slot, i, key, flow)
				      : KNOCKED_NOTHING;

		if (knocked == KNOCKED_NOTHING)
			continue;
		apply_knock(ctx, flow, slot, i, knocked | before);
		/* Without a branch, which would double the states that the verifier follows. */
		before |= EFFECTS_BEFORE(knocked & 7);
	}
}

/* Whether a touch of the packet's port can have an effect; reads only the source address. */
static __always_inline bool may_knock(struct xdp_md *ctx, const struct packet *packet,
				      __u32 slot)
{
	struct cursor cur = cursor_at(ctx, offsets_network(packet->offsets));
	struct network network;

	if (is_step(slot, packet->key))
		return true;
	return read_network(&cur, &network) &&
	       may_have_attempt(source_hash(network.source, network.family == 6));
}

#endif
