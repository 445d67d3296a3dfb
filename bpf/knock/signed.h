/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signed knocks: one datagram opens a door. It is verified here and never answered. The cheap
 * checks come first: only a sender that knows the numbers of a signer and of the server can
 * make the data path compute a tag, and the rate of such computations is limited.
 */
#ifndef KNOCK_SIGNED_H
#define KNOCK_SIGNED_H

#include "base/bucket.h"
#include "base/event.h"
#include "knock/door.h"
#include "knock/grant.h"
#include "packet/headers.h"
#include "portctl/blake2s.h"
#include "portctl/signed.h"

/* The signed knock in a datagram; NULL if the datagram has another length or version. */
static __always_inline struct signed_knock *signed_payload(struct xdp_md *ctx,
							   offsets_t offsets)
{
	struct cursor cur = cursor_at(ctx, offsets_transport(offsets));
	struct udphdr *udp = cur.pos;
	struct signed_knock *message = (void *)(udp + 1);

	if ((void *)(message + 1) > cur.end ||
	    udp->len != bpf_htons(sizeof(*udp) + sizeof(*message)) ||
	    message->version != SIGNED_VERSION)
		return NULL;
	return message;
}

/*
 * The door with this name that takes signed knocks at this port key; 0: there is none. Not
 * inlined, so that the verifier does not follow the caller for each door separately.
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

/* 32-bit words of a signed knock before its tag. */
#define SIGNED_WORDS ((int)(__builtin_offsetof(struct signed_knock, tag) / sizeof(__u32)))

/* Takes the same time wherever the tags differ. */
static __always_inline bool is_tag_right(const struct signer *signer,
					 const struct signed_knock *message)
{
	const __u32 *words = (const __u32 *)message;
	__u32 state[8], block[16], differs = 0;

	for (int i = 0; i < 16; i++)
		block[i] = i < SIGNED_WORDS ? words[i] : 0;
	for (int i = 0; i < 8; i++)
		state[i] = signer->state[i];
	blake2s_compress(state, block, BLAKE2S_BLOCK + SIGNED_WORDS * sizeof(__u32), 1);
	for (int i = 0; i < 4; i++)
		differs |= state[i] ^ words[SIGNED_WORDS + i];
	return !differs;
}

static __always_inline bool is_server(const struct signer *signer,
				      const struct signed_knock *message)
{
	return *(const __u32 *)signer->server == *(const __u32 *)message->server &&
	       *(const __u32 *)(signer->server + 4) == *(const __u32 *)(message->server + 4);
}

/*
 * Whether the time of a signature is within the door's skew, and later than the creation of the
 * maps. The maps have no times of earlier knocks, so such a knock could be replayed.
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
 * Whether a knock's time is later than the times of all earlier knocks of the signer; if so,
 * stores it. The time is replaced by compare-and-swap: if another CPU was faster, the knock is
 * refused and the client repeats it.
 */
static __always_inline bool is_later(__be32 signer, __u64 time)
{
	__u64 *last = bpf_map_lookup_elem(&last_signed, &signer), old;

	if (!last)
		return false;
	old = READ_ONCE(*last);
	return time > old && __sync_val_compare_and_swap(last, old, time) == old;
}

/*
 * Opens, closes or extends, for the address in the message, or else for flow->remote. Returns
 * the event to publish.
 */
static __always_inline enum event_kind obey_message(const struct signed_knock *message,
						    struct flow_key *flow, __u32 slot,
						    __u32 door, struct door_counts *counts)
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
	if (extended) /* in place, so that its opener is kept */
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

/* EVENT_GRANT if a message is valid, else the event to publish. */
static __always_inline enum event_kind verify_message(__u32 slot, __u32 door,
						      const struct signer *signer,
						      const struct signed_knock *message,
						      struct door_counts *counts)
{
	__u64 time = bpf_be64_to_cpu(message->time);

	if (!((signer->doors >> (door - 1)) & 1) || !is_well_formed(message) ||
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

/* The same for a datagram; EVENT_NONE if signer or server are unknown. */
__noinline int verify_signed(struct xdp_md *ctx, offsets_t offsets, __u32 slot, __u32 door)
{
	struct signed_knock *message = signed_payload(ctx, offsets);
	struct door_counts *counts = counts_of(door);
	struct signer_key who = { .slot = slot & 1 };
	struct signer *signer;

	if (!message || !counts)
		return EVENT_NONE;
	who.number = message->signer;
	signer = bpf_map_lookup_elem(&signers, &who);
	if (!signer || !is_server(signer, message))
		return EVENT_NONE;
	return verify_message(slot, door, signer, message, counts);
}

/* Executes a valid signed knock. Returns the event to publish. */
__noinline int obey_signed(struct xdp_md *ctx, offsets_t offsets, __u32 slot, __u32 door)
{
	struct signed_knock *message = signed_payload(ctx, offsets);
	struct door_counts *counts = counts_of(door);
	struct flow_key source = { 0 };

	if (!message || !counts || !read_addresses(ctx, offsets, &source))
		return EVENT_NONE;
	return obey_message(message, &source, slot, door, counts);
}

__noinline int publish_signed(struct xdp_md *ctx, offsets_t offsets, __u32 key, __u32 door,
			      int kind)
{
	struct signed_knock *message = signed_payload(ctx, offsets);
	struct headers headers = { 0 };
	struct event event = { .door = door };

	if (!message)
		return 0;
	event.signer = message->signer;
	read_headers(ctx, offsets, key, &headers);
	publish_packet(ctx, kind, key, &headers.flow, &event);
	return 0;
}

/*
 * Handles a datagram to a port of signed knocks. The steps are functions called one after the
 * other and not from within each other: verifying needs most of the 512 bytes of stack that a
 * chain of calls has.
 */
static __always_inline void signed_knock(struct xdp_md *ctx, offsets_t offsets, __u32 slot,
					 __u32 key)
{
	struct signed_knock *message = signed_payload(ctx, offsets);
	__u32 door = message ? signed_door(slot, key, message->door) : 0;
	int kind = door ? verify_signed(ctx, offsets, slot, door) : EVENT_NONE;

	if (kind == EVENT_GRANT)
		kind = obey_signed(ctx, offsets, slot, door);
	if (is_watched() && kind != EVENT_NONE)
		publish_signed(ctx, offsets, key, door, kind);
}

#endif
