/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signed knocks (struct signed_knock): one datagram opens a door, verified here and
 * answered by nothing. The cheap questions come first, so that only who knows a
 * signer's number and the server's can make us compute a tag; and that is limited.
 */
#ifndef KNOCK_SIGNED_H
#define KNOCK_SIGNED_H

#include "base/bucket.h"
#include "base/event.h"
#include "knock/grant.h"
#include "packet/subject.h"
#include "portctl/blake2s.h"
#include "portctl/signed.h"

/* The payload of a datagram that is just as long; NULL where it is not one of ours. */
static __always_inline struct signed_knock *signed_payload(struct xdp_md *ctx, __u32 place)
{
	struct cursor cur = cursor_again(ctx);
	struct udphdr *udp = cur.pos + (place_transport(place) & OFFSET_MASK);
	struct signed_knock *message = (void *)(udp + 1);

	if ((void *)(message + 1) > cur.end ||
	    udp->len != bpf_htons(sizeof(*udp) + sizeof(*message)) ||
	    message->version != SIGNED_VERSION)
		return NULL;
	return message;
}

/*
 * The door that listens at this port and has this name, or 0. Not static, so that the
 * verifier does not go on with each number for itself.
 */
__noinline __u32 signed_door(__u32 slot, __u32 key, __be32 name)
{
	for (__u32 i = 0; i < MAX_DOORS && i < table[slot & 1].door_count; i++) {
		const struct door *door = &table[slot & 1].doors[i];

		if (door->signed_key == key && door->name == name)
			return i + 1;
	}
	return 0;
}

/* Compares all of it, however early it differs. */
static __always_inline bool is_tag_right(const struct signer *signer,
					 const struct signed_knock *message)
{
	const __u32 *words = (const __u32 *)message;
	__u32 state[8], block[16], differs = 0;

	for (int i = 0; i < 16; i++)
		block[i] = i < 12 ? words[i] : 0;
	for (int i = 0; i < 8; i++)
		state[i] = signer->state[i];
	blake2s_compress(state, block, BLAKE2S_BLOCK + 48, 1);
	for (int i = 0; i < 4; i++)
		differs |= state[i] ^ words[12 + i];
	return !differs;
}

static __always_inline bool is_server(const struct signer *signer,
				      const struct signed_knock *message)
{
	return *(const __u32 *)signer->server == *(const __u32 *)message->server &&
	       *(const __u32 *)(signer->server + 4) == *(const __u32 *)(message->server + 4);
}

/*
 * Whether a signature's time is near, and after the table's beginning: what was
 * heard before that was forgotten, so nothing that could be its repetition is
 * believed.
 */
static __always_inline bool is_timely(const struct signer *signer, __u64 time, __u32 skew)
{
	__u64 now = utc_now(), off = time > now ? time - now : now - time;

	return off <= skew * SECOND && time > control.created + skew * SECOND &&
	       (!signer->expires || now < signer->expires);
}

static __always_inline bool is_verification_left(const struct door *door)
{
	__u32 line = door->line;
	__u64 *bucket = bpf_map_lookup_elem(&buckets, &line);

	return bucket && bucket_take(bucket, SECOND / SIGNED_RATE,
				   (SIGNED_BURST - 1) * (SECOND / SIGNED_RATE));
}

/*
 * Whether a signer's time is after all before. It is changed by compare-and-swap, and
 * where another CPU was faster the knock is not believed: it is sent again.
 */
static __always_inline bool is_later(__be32 signer, __u64 time)
{
	__u64 *last = bpf_map_lookup_elem(&last_signed, &signer), old;

	if (!last)
		return false;
	old = *(volatile __u64 *)last;
	return time > old && __sync_val_compare_and_swap(last, old, time) == old;
}

/* Does what was signed for whom it names. */
static __always_inline enum event_kind act(const struct signed_knock *message,
					   struct flow_key *flow, __u32 slot, __u32 door,
					   struct door_counts *counts)
{
	__u32 most = door_at(slot, door)->seconds, seconds = bpf_ntohl(message->seconds);
	struct grant *extended = NULL;

	seconds = seconds && seconds < most ? seconds : most;
	if (message->family) {
		flow->family = message->family;
		__builtin_memset(flow->remote, 0, sizeof(flow->remote));
		__builtin_memcpy(flow->remote, message->address, 4);
	}
	if (message->family == 6)
		__builtin_memcpy(flow->remote, message->address, sizeof(flow->remote));
	if (message->action == SIGNED_CLOSE) {
		if (!remove_grant(flow, slot, door))
			return EVENT_NONE;
		count_one(&counts->closed);
		return EVENT_CLOSE;
	}
	if (message->action == SIGNED_EXTEND)
		extended = find_grant(flow, slot, door);
	if (extended) /* of who opened a connection with it already it stays */
		extended->deadline = deadline_after(seconds, extended);
	else if (message->action == SIGNED_EXTEND ||
		 !make_grant(flow, slot, door, seconds, 0)) {
		count_one(&counts->refusals);
		return EVENT_REFUSAL;
	}
	count_one(&counts->grants);
	return EVENT_GRANT;
}

static __always_inline bool is_well_formed(const struct signed_knock *message)
{
	return message->action >= SIGNED_OPEN && message->action <= SIGNED_EXTEND &&
	       (!message->family || message->family == 4 || message->family == 6);
}

/* Whether a signer's knock is believed: EVENT_GRANT, else what is to be told of it. */
static __always_inline enum event_kind verify(__u32 slot, __u32 door,
					      const struct signer *signer,
					      const struct signed_knock *message,
					      struct door_counts *counts)
{
	__u64 time = bpf_be64_to_cpu(message->time);

	if (!(signer->doors >> (door - 1) & 1) || !is_well_formed(message) ||
	    !is_timely(signer, time, door_at(slot, door)->skew) ||
	    !is_verification_left(door_at(slot, door)) || !is_tag_right(signer, message)) {
		count_one(&counts->refusals);
		return EVENT_REFUSAL;
	}
	if (!is_later(message->signer, time)) {
		count_one(&counts->replays);
		return EVENT_REPLAY;
	}
	return EVENT_GRANT;
}

/* The same of any datagram that names a door of its port. */
__noinline int verify_signed(struct xdp_md *ctx, __u32 place, __u32 slot, __u32 door)
{
	struct signed_knock *message = signed_payload(ctx, place);
	struct door_counts *counts = counts_of(door);
	struct signer_key who = { .slot = slot & 1 };
	struct signer *signer;

	if (!message || !counts)
		return EVENT_NONE;
	who.number = message->signer;
	signer = bpf_map_lookup_elem(&signers, &who);
	if (!signer || !is_server(signer, message))
		return EVENT_NONE;
	return verify(slot, door, signer, message, counts);
}

/* Does what a knock says that is believed. Returns what is to be told of it. */
__noinline int obey_signed(struct xdp_md *ctx, __u32 place, __u32 slot, __u32 door)
{
	struct signed_knock *message = signed_payload(ctx, place);
	struct door_counts *counts = counts_of(door);
	struct flow_key source = { 0 };

	if (!message || !counts || !read_addresses(ctx, place, &source))
		return EVENT_NONE;
	return act(message, &source, slot, door, counts);
}

__noinline int tell_signed(struct xdp_md *ctx, __u32 place, __u32 key, __u32 door, int kind)
{
	struct signed_knock *message = signed_payload(ctx, place);
	struct subject subject = { 0 };
	struct event event = { .door = door };

	if (!message)
		return 0;
	event.signer = message->signer;
	read_subject(ctx, place, key, &subject);
	tell(ctx, kind, key, &subject.flow, &event);
	return 0;
}

/*
 * One after the other, and not from within each other: verifying needs most of the stack
 * that all callers have together.
 */
static __always_inline void signature(struct xdp_md *ctx, __u32 place, __u32 slot, __u32 key)
{
	struct signed_knock *message = signed_payload(ctx, place);
	__u32 door = message ? signed_door(slot, key, message->door) : 0;
	int kind = door ? verify_signed(ctx, place, slot, door) : EVENT_NONE;

	if (kind == EVENT_GRANT)
		kind = obey_signed(ctx, place, slot, door);
	if (is_watched() && kind != EVENT_NONE)
		tell_signed(ctx, place, key, door, kind);
}

#endif
