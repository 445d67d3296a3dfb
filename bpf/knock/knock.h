/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * knock: what touching a shut port does. A source has an attempt at each sequence
 * it began; the right step takes it on, the step before may come again (packets
 * are sent twice), and anything else spends a miss. Where misses run out the
 * attempt is gone, so no scan gets through a sequence.
 */
#ifndef KNOCK_KNOCK_H
#define KNOCK_KNOCK_H

#include "base/event.h"
#include "base/hash.h"
#include "knock/grant.h"
#include "packet/packet.h"
#include "packet/subject.h"

#define KNOCK_TRIES 4 /* others may change the same word at the same time */

/* Of an attempt's word; see struct attempts. */
#define WORD_TIME(word) ((__u32)(word) & (ATTEMPT_TIMES - 1))
#define WORD_MISSES(word) ((__u32)((word) >> 20) & 15)
#define WORD_STAGE(word) ((__u32)((word) >> 24) & 31)
#define WORD_NAME (~0ull << 29) /* tag and sequence */
#define WORD_TAG (~0ull << 37)

#define ONE_MISS (1ull << 20)
#define ONE_STEP (1ull << 24)

enum knocked {
	KNOCKED_NOTHING,
	KNOCKED_BEGIN,
	KNOCKED_STEP,
	KNOCKED_MISS,
	KNOCKED_FAILED,
	KNOCKED_DONE, /* the sequence is whole */
	KNOCKED_UNHEARD, /* by who is locked out: it would have had an effect */
};

/*
 * A keyed hash of a source: of IPv6 its /64, as whoever has one has all of its
 * addresses. The multiplication brings the best bits to where they are used.
 */
static __always_inline __u64 source_hash(const __u32 *address, bool ipv6)
{
	return hash_pair(address[0], ipv6 ? address[1] : 0, ipv6 ? 2 : 0) * 0x9E3779B97F4A7C15;
}

/* The low bits choose the set: none of them is in the tag. */
static __always_inline struct attempts *attempts_of(__u64 hash)
{
	__u32 index = hash >> 20 & (ATTEMPT_SETS - 1);

	_Static_assert(ATTEMPT_SETS <= 1 << 16, "bits 20 to 35");
	return bpf_map_lookup_elem(&attempts, &index);
}

static __always_inline __u64 attempt_now(void)
{
	return boot_now() >> ATTEMPT_TICK & (ATTEMPT_TIMES - 1);
}

static __always_inline bool is_old(__u64 word, __u64 now, __u32 window)
{
	return ((__u32)now - WORD_TIME(word) & (ATTEMPT_TIMES - 1)) > window;
}

/*
 * Where this attempt stands, else an empty place, or whoever's turn it is; and the word
 * that was seen there. Attempts that one touch begins take different turns, or each would
 * end the one before. Each is looked at once: another CPU that begins the same attempt
 * has taken a place that was seen here as empty, so only one of the two gets it.
 */
static __always_inline int place_for_attempt(const struct attempts *set, __u64 name, __u64 now,
					     __u64 *seen)
{
	__u32 index = name >> 29 & (MAX_DOORS * DOOR_SEQUENCES - 1);
	__u32 turn = now + index + index / DOOR_SEQUENCES & (ATTEMPT_WAYS - 1);
	int empty = -1;

	for (int i = 0; i < ATTEMPT_WAYS; i++) {
		__u64 word = *(volatile const __u64 *)&set->words[i];

		*seen = word;
		if ((word & WORD_NAME) == name && WORD_STAGE(word))
			return i;
		if (!word && empty < 0)
			empty = i;
	}
	*seen = 0;
	if (empty >= 0)
		return empty;
	*seen = set->words[turn];
	return turn;
}

/* What the word becomes; 0 where the attempt is over. */
static __always_inline __u64 next_word(__u64 word, const struct sequence *sequence,
				       const struct door *door, __u32 key,
				       enum knocked *knocked)
{
	__u32 stage = WORD_STAGE(word);

	if (sequence->steps[stage & (MAX_STEPS - 1)] == key) {
		*knocked = stage + 1 == sequence->count ? KNOCKED_DONE : KNOCKED_STEP;
		return *knocked == KNOCKED_DONE ? 0 : word + ONE_STEP;
	}
	*knocked = KNOCKED_NOTHING;
	if (sequence->steps[(stage - 1) & (MAX_STEPS - 1)] == key)
		return word;
	*knocked = WORD_MISSES(word) < door->misses ? KNOCKED_MISS : KNOCKED_FAILED;
	return *knocked == KNOCKED_MISS ? word + ONE_MISS : 0;
}

static __always_inline __u64 first_word(__u64 name, __u64 now, const struct sequence *sequence,
					__u32 key, enum knocked *knocked)
{
	*knocked = KNOCKED_NOTHING;
	if (sequence->steps[0] != key)
		return 0;
	*knocked = sequence->count == 1 ? KNOCKED_DONE : KNOCKED_BEGIN;
	return *knocked == KNOCKED_DONE ? 0 : name | ONE_STEP | now;
}

/* What is known of the windows of the timed door that has this index. */
static __always_inline struct windows *windows_of(__u32 index)
{
	__u32 door = index / DOOR_SEQUENCES;

	return bpf_map_lookup_elem(&windows, &door);
}

/* The window of a timed door whose sequence is at this index; NULL where none is good. */
static __always_inline const struct window *window_at(__u32 index)
{
	struct windows *known = windows_of(index);
	struct window *window;

	if (!known || boot_now() >= known->until)
		return NULL;
	window = &known->list[index % WINDOWS];
	return window->number + 1 - present_window() <= 2 ? window : NULL;
}

/* The sequence at this index that is good now, or NULL. */
static __always_inline const struct sequence *sequence_at(const struct door *door, __u32 index)
{
	const struct window *window;

	if (door->flags & DOOR_TIMED) {
		window = window_at(index);
		return window ? &window->sequence : NULL;
	}
	/* The second remainder changes nothing but what the verifier knows. */
	return index % DOOR_SEQUENCES < SEQUENCES ? &door->sequences[index % SEQUENCES] : NULL;
}

static __always_inline struct lockout_key lockout_key(const struct flow_key *flow)
{
	struct lockout_key key = { .family = flow->family };

	__builtin_memcpy(key.address, flow->remote, 8); /* IPv4: then zeros */
	return key;
}

static __always_inline bool is_locked_out(const struct flow_key *flow)
{
	struct lockout_key key = lockout_key(flow);
	struct lockout *lockout = bpf_map_lookup_elem(&lockouts, &key);

	return lockout && lockout->failures >= LOCKOUT_FAILURES &&
	       boot_now() - lockout->last < LOCKOUT_SECONDS * SECOND;
}

/*
 * Whoever holds a grant for the door is heard there all the same. Not static: the
 * verifier looks at it once, and not for each try.
 */
__noinline int is_heard(const struct flow_key *flow, __u32 slot, __u32 door)
{
	return flow && (!is_locked_out(flow) || find_grant(flow, slot, door));
}

/*
 * One sequence and one touch. The word is changed by compare-and-swap: two touches
 * of one source can arrive on two CPUs, and only one of them has its effect.
 */
__noinline int knock_sequence(__u64 hash, __u32 slot, __u32 number, __u32 key,
			      const struct flow_key *flow)
{
	__u32 index = number % (MAX_DOORS * DOOR_SEQUENCES);
	const struct door *door = &table[slot & 1].doors[index / DOOR_SEQUENCES];
	const struct sequence *sequence = sequence_at(door, index);
	__u64 name = (hash & WORD_TAG) | (__u64)index << 29, now = attempt_now();
	struct attempts *set = attempts_of(hash);

	if (!set || !sequence || !sequence->count)
		return KNOCKED_NOTHING;
	for (int try = 0; try < KNOCK_TRIES; try++) {
		__u64 old, new, *word;
		int place = place_for_attempt(set, name, now, &old);
		bool begun = (old & WORD_NAME) == name && WORD_STAGE(old);
		enum knocked knocked;

		word = &set->words[place & (ATTEMPT_WAYS - 1)];
		if (begun && !is_old(old, now, door->window))
			new = next_word(old, sequence, door, key, &knocked);
		else
			new = first_word(name, now, sequence, key, &knocked);
		if (knocked != KNOCKED_NOTHING &&
		    !is_heard(flow, slot, index / DOOR_SEQUENCES + 1))
			return KNOCKED_UNHEARD;
		if (knocked == KNOCKED_NOTHING ||
		    (!begun && !new) || /* a sequence of one step leaves nothing behind */
		    __sync_val_compare_and_swap(word, old, new) == old)
			return knocked;
	}
	return KNOCKED_NOTHING;
}

/* Whether it was one failure too many. */
static __always_inline bool note_failure(const struct flow_key *flow)
{
	struct lockout_key key = lockout_key(flow);
	struct lockout *known = bpf_map_lookup_elem(&lockouts, &key);
	struct lockout first = { .last = boot_now(), .failures = 1 };

	if (!known || first.last - known->last > LOCKOUT_SECONDS * SECOND) {
		bpf_map_update_elem(&lockouts, &key, &first, BPF_ANY);
		return false;
	}
	known->last = first.last;
	return __sync_fetch_and_add(&known->failures, 1) + 1 == LOCKOUT_FAILURES;
}

/* A sequence was whole. */
static __always_inline enum event_kind finish(const struct flow_key *flow, __u32 slot,
					      __u32 index, struct door_counts *counts)
{
	__u32 door = index / DOOR_SEQUENCES + 1;
	const struct door *opened = door_at(slot, door);
	const struct window *window = NULL;
	bool timed = opened->flags & DOOR_TIMED;
	__u64 number = 0;

	if (timed) {
		window = window_at(index);
		number = window ? window->number : 0;
	}
	if (!timed && index % DOOR_SEQUENCES == SEQUENCE_CLOSE) {
		if (!remove_grant(flow, slot, door))
			return EVENT_NONE;
		count_one(&counts->closed);
		return EVENT_CLOSE;
	}
	if (timed && number <= used_window(flow, slot, door)) {
		count_one(&counts->replays);
		return EVENT_REPLAY;
	}
	if (!make_grant(flow, slot, door, opened->seconds, number)) {
		count_one(&counts->refusals);
		return EVENT_REFUSAL;
	}
	count_one(&counts->grants);
	return EVENT_GRANT;
}

/*
 * What follows from a touch that had an effect. `again`: it has failed in another sequence
 * already, which is one failure of who touched.
 */
static __always_inline enum event_kind count_knock(const struct flow_key *flow, __u32 slot,
						   __u32 index, int knocked, bool again,
						   struct door_counts *counts)
{
	__u32 door = index / DOOR_SEQUENCES + 1;

	switch (knocked) {
	case KNOCKED_UNHEARD:
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
		return !again && !find_grant(flow, slot, door) && note_failure(flow)
			       ? EVENT_LOCKOUT
			       : EVENT_FAILURE;
	}
	return finish(flow, slot, index, counts);
}

/* `effects`: enum knocked, and above it a bit for each that the touch had elsewhere. */
#define KNOCKED_BEFORE(knocked) (1u << (8 + (knocked)))

__noinline int knocked_at(struct xdp_md *ctx, const struct flow_key *flow, __u32 slot,
			  __u32 index, __u32 effects)
{
	__u32 door = index / DOOR_SEQUENCES + 1;
	struct door_counts *counts = counts_of(door);
	struct event event = { .door = door };
	enum event_kind kind;

	if (!flow || !counts)
		return 0;
	kind = count_knock(flow, slot, index, effects & 255,
			   effects & KNOCKED_BEFORE(KNOCKED_FAILED), counts);
	if (is_watched() && kind != EVENT_NONE)
		tell(ctx, kind, flow_port_key(flow), flow, &event);
	return 0;
}

/*
 * Whether a touch can do anything to the sequence at this index: to one that the source
 * has not begun only where it is the first step. Signed doors have no sequences; whether
 * a window is good now, which takes longest, is left for later.
 */
static __always_inline bool may_matter(__u32 slot, __u32 index, __u32 key, bool begun)
{
	const struct door *door = door_at(slot, index / DOOR_SEQUENCES + 1);
	const struct sequence *sequence = &door->sequences[index % SEQUENCES];
	struct windows *known;

	if (door->flags & DOOR_TIMED) {
		known = windows_of(index);
		return known &&
		       (begun || known->list[index % WINDOWS].sequence.steps[0] == key);
	}
	return index % DOOR_SEQUENCES < SEQUENCES && sequence->count &&
	       (begun || sequence->steps[0] == key);
}

/* Whether it is a port that is knocked at, be it by a signature. */
static __always_inline bool is_step(__u32 slot, __u64 key)
{
	__u64 index = key / 64;

	barrier_var(index); /* so that the mask, the verifier's proof, stays */
	return table[slot & 1].steps[index & (PORT_KEYS / 64 - 1)] >> (key & 63) & 1;
}

/* Whether the source may have an attempt: somebody with its tag has. */
static __always_inline bool may_have_attempt(__u64 hash)
{
	struct attempts *set;
	__u64 found = 0;

	in_memory(hash);
	set = attempts_of(hash);
	for (int i = 0; set && i < ATTEMPT_WAYS; i++)
		found |= !((set->words[i] ^ hash) & WORD_TAG);
	return found;
}

#define BEGUN_WORDS (MAX_DOORS * DOOR_SEQUENCES / 64)

/*
 * The sequences that the source may have begun, a bit each, by their index; whether any.
 * may_have_attempt() is for packets that must not pay for the bits.
 */
static __always_inline bool find_begun(__u64 hash, __u64 begun[BEGUN_WORDS])
{
	struct attempts *set = attempts_of(hash);
	bool any = false;

	for (int i = 0; set && i < ATTEMPT_WAYS; i++) {
		__u64 word = *(volatile const __u64 *)&set->words[i];
		__u64 index = word >> 29 & (MAX_DOORS * DOOR_SEQUENCES - 1);

		if ((word ^ hash) & WORD_TAG)
			continue;
		begun[index / 64] |= 1ull << (index & 63);
		any = true;
	}
	return any;
}

/*
 * A touch of a port that is shut, by whom `flow` says, for every sequence that it may
 * matter to. A flood must not pay for all there are: neither from who knocks at nothing,
 * nor from who has begun one.
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
	for (__u32 i = 0; i < MAX_DOORS * DOOR_SEQUENCES && i < count; i++) {
		bool has_begun = begun[i / 64] >> (i & 63) & 1;
		int knocked = may_matter(slot, i, key, has_begun)
				      ? knock_sequence(hash, slot, i, key, flow)
				      : KNOCKED_NOTHING;

		if (knocked == KNOCKED_NOTHING)
			continue;
		knocked_at(ctx, flow, slot, i, knocked | before);
		/* Without a branch, or the verifier goes on with and without. */
		before |= KNOCKED_BEFORE(knocked & 7);
	}
}

/* Whether touching this port can have an effect, found out from the packet itself. */
static __always_inline bool may_knock(struct xdp_md *ctx, const struct packet *packet,
				      __u32 slot)
{
	struct cursor cur = cursor_again(ctx);
	struct ipv6hdr *ip6 = cur.pos + (place_network(packet->place) & OFFSET_MASK);
	struct iphdr *ip = (void *)ip6;
	__u64 hash;

	if (is_step(slot, packet->key))
		return true;
	if ((void *)(ip + 1) > cur.end)
		return false;
	if (ip->version == 4) {
		hash = source_hash(&ip->saddr, false);
	} else {
		if ((void *)(ip6 + 1) > cur.end)
			return false;
		hash = source_hash(ip6->saddr.in6_u.u6_addr32, true);
	}
	return may_have_attempt(hash);
}

#endif
