/* SPDX-License-Identifier: GPL-2.0-only */
/* Attempts: where the progress of a source is stored, and what a touch does to it. */
#ifndef KNOCK_ATTEMPT_H
#define KNOCK_ATTEMPT_H

#include "base/clock.h"
#include "base/hash.h"
#include "base/maps.h"
#include "portctl/knock.h"

/* What a touch did to an attempt. */
enum knocked {
	KNOCKED_NOTHING,
	KNOCKED_BEGIN,
	KNOCKED_STEP,
	KNOCKED_MISS,
	KNOCKED_FAILED, /* one miss too many */
	KNOCKED_DONE, /* the sequence is complete */
	KNOCKED_REFUSED, /* it would have had an effect, but the source is locked out */
};

/* A keyed hash of a source. IPv6 sources count by /64: who has one address has all of them. */
static __always_inline __u64 source_hash(const __u32 *address, bool ipv6)
{
	return hash_pair(address[0], ipv6 ? address[1] : 0, ipv6 ? 2 : 0) * HASH_MULTIPLIER;
}

/* The set of a source. The bits of the hash that choose it are not part of the tag. */
static __always_inline struct attempts *attempts_of(__u64 hash)
{
	__u32 index = (hash >> 20) & (ATTEMPT_SETS - 1);

	_Static_assert(20 + 16 <= 64 - ATTEMPT_TAG_BITS && ATTEMPT_SETS <= 1 << 16,
		       "bits 20 to 35 are below the tag");
	return bpf_map_lookup_elem(&attempts, &index);
}

static __always_inline __u64 attempt_now(void)
{
	return (boot_now() >> ATTEMPT_TICK) & (ATTEMPT_TIMES - 1);
}

static __always_inline bool attempt_is_old(union attempt attempt, __u64 now, __u32 window)
{
	__u32 age = ((__u32)now - (__u32)attempt.began) & (ATTEMPT_TIMES - 1);

	return age > window;
}

/* Whether both are of the same source and sequence, and `attempt` has begun. */
static __always_inline bool attempt_has_begun(union attempt attempt, union attempt wanted)
{
	/*
	 * One comparison of all fields: two comparisons would double the states that the
	 * verifier follows.
	 */
	return !((attempt.word ^ wanted.word) & ATTEMPT_NAME) && attempt.steps;
}

/*
 * The index of the attempt in its set. If the attempt has not begun, the index of an empty
 * word, or in a full set of the word to replace. `*seen` is the old value of the word, 0 if it
 * is empty.
 *
 * Which word is replaced depends on the sequence and the time, so attempts that begin with the
 * same touch do not replace each other. Each word is read once: if two CPUs begin the same
 * attempt, both have seen the same empty word, and only one compare-and-swap succeeds.
 */
static __always_inline int attempt_find(const struct attempts *set, union attempt wanted,
					__u64 now, union attempt *seen)
{
	__u32 sequence = wanted.sequence;
	__u32 turn = (now + sequence + sequence / DOOR_SEQUENCES) & (ATTEMPT_WAYS - 1);
	int empty = -1;

	for (int i = 0; i < ATTEMPT_WAYS; i++) {
		seen->word = READ_ONCE(set->words[i]);
		if (attempt_has_begun(*seen, wanted))
			return i;
		if (!seen->word && empty < 0)
			empty = i;
	}
	seen->word = 0;
	if (empty >= 0)
		return empty;
	seen->word = set->words[turn];
	return turn;
}

/* The attempt after a touch; 0 if it has ended. */
static __always_inline union attempt attempt_next(union attempt attempt,
						  const struct sequence *sequence,
						  const struct door *door, __u32 key,
						  enum knocked *knocked)
{
	__u32 steps = attempt.steps;

	*knocked = KNOCKED_NOTHING;
	if (sequence->steps[steps & (MAX_STEPS - 1)] == key) {
		*knocked = steps + 1 == sequence->count ? KNOCKED_DONE : KNOCKED_STEP;
		attempt.steps++;
	} else if (sequence->steps[(steps - 1) & (MAX_STEPS - 1)] != key) {
		*knocked = attempt.misses < door->misses ? KNOCKED_MISS : KNOCKED_FAILED;
		attempt.misses++;
	} /* else the last step again: no miss, since packets can be sent twice */
	if (*knocked == KNOCKED_DONE || *knocked == KNOCKED_FAILED)
		attempt.word = 0;
	return attempt;
}

/* The attempt after the first touch of a source; 0 if the touch begins none. */
static __always_inline union attempt attempt_first(union attempt wanted, __u64 now,
						   const struct sequence *sequence, __u32 key,
						   enum knocked *knocked)
{
	*knocked = KNOCKED_NOTHING;
	if (sequence->steps[0] == key)
		*knocked = sequence->count == 1 ? KNOCKED_DONE : KNOCKED_BEGIN;
	if (*knocked != KNOCKED_BEGIN)
		return (union attempt){ 0 };
	wanted.steps = 1;
	wanted.began = now;
	return wanted;
}

/* Whether the source may have begun an attempt: one with its tag exists. */
static __always_inline bool may_have_attempt(__u64 hash)
{
	struct attempts *set;
	__u64 found = 0;

	in_memory(hash);
	set = attempts_of(hash);
	for (int i = 0; set && i < ATTEMPT_WAYS; i++)
		found |= attempt_tag(set->words[i]) == attempt_tag(hash);
	return found;
}

#define BEGUN_WORDS (SEQUENCE_NUMBERS / 64)

/*
 * Sets bit `number` of `begun` for each sequence that the source may have begun. Returns
 * whether any bit was set; may_have_attempt() answers only that and is faster.
 */
static __always_inline bool find_begun(__u64 hash, __u64 begun[BEGUN_WORDS])
{
	struct attempts *set = attempts_of(hash);
	bool any = false;

	for (int i = 0; set && i < ATTEMPT_WAYS; i++) {
		union attempt attempt = { .word = READ_ONCE(set->words[i]) };
		__u32 sequence = attempt.sequence;

		if (attempt.tag != attempt_tag(hash))
			continue;
		begun[sequence / 64] |= 1ull << (sequence & 63);
		any = true;
	}
	return any;
}

#endif
