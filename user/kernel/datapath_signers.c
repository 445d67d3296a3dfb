// SPDX-License-Identifier: GPL-2.0-only
/* The map of signers: the keys, from key files, that may sign knocks. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/param.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "kernel/datapath_internal.h"
#include "kernel/needs.h"
#include "kernel/pins.h"
#include "rules/signing.h"

/* The maps, and the slot that is being filled. */
struct signer_maps {
	int signers;
	int last;
	__u32 slot;
	struct signer_key *keys; /* of both slots, before the slot is filled */
	size_t key_count;
	size_t added; /* signers added to the slot */
};

static int fail_signers(int err)
{
	return fail(err, "cannot store the signers: %s",
		    err == -E2BIG ? "there are too many" : datapath_reason(err));
}

static int list_keys(struct signer_maps *maps)
{
	struct signer_key *before = NULL;

	maps->keys = calloc(2 * MAX_SIGNERS, sizeof(*maps->keys));
	if (!maps->keys)
		return -ENOMEM;
	while (maps->key_count < 2 * MAX_SIGNERS &&
	       !bpf_map_get_next_key(maps->signers, before, &maps->keys[maps->key_count]))
		before = &maps->keys[maps->key_count++];
	return 0;
}

static void empty_slot(const struct signer_maps *maps)
{
	for (size_t i = 0; i < maps->key_count; i++) {
		if (maps->keys[i].slot == maps->slot)
			bpf_map_delete_elem(maps->signers, &maps->keys[i]);
	}
}

static bool may_sign(const struct signer_maps *maps, __be32 number)
{
	bool found = false;

	for (__u32 slot = 0; slot < 2 && !found; slot++) {
		struct signer_key key = { number, slot };
		struct signer signer;

		found = !bpf_map_lookup_elem(maps->signers, &key, &signer);
		explicit_bzero(&signer, sizeof(signer));
	}
	return found;
}

/* Removes the replay times of revoked keys, once they are too old for a replay to matter. */
static void forget_times(const struct signer_maps *maps)
{
	__u64 now = utc_now(), time;
	__be32 number, next;
	bool more = !bpf_map_get_next_key(maps->last, NULL, &next);

	while (more) {
		number = next;
		more = !bpf_map_get_next_key(maps->last, &number, &next);
		if (!bpf_map_lookup_elem(maps->last, &number, &time) &&
		    time + 2 * SKEW_MAX * 1000000000ull < now && !may_sign(maps, number))
			bpf_map_delete_elem(maps->last, &number);
	}
}

/* Makes a key's replay time, unless it exists. From then on only the kernel writes it. */
static int begin_time(const struct signer_maps *maps, __be32 number)
{
	__u64 never = 0;
	int err = bpf_map_update_elem(maps->last, &number, &never, BPF_NOEXIST);

	if (err && errno == E2BIG) {
		forget_times(maps);
		err = bpf_map_update_elem(maps->last, &number, &never, BPF_NOEXIST);
	}
	return err && errno != EEXIST ? -errno : 0;
}

/* The earlier of two expiry times, of which 0 means never. */
static __u64 earlier_end(__u64 one, __u64 other)
{
	return one && other ? MIN(one, other) : one ?: other;
}

/*
 * Adds a signer to the slot, or adds doors to a signer that is there. A signer has one expiry
 * time, so a key on several lines expires with the first of them: it must never open a door
 * for longer than a line allows.
 */
static int put_signer(struct signer_maps *maps, __be32 number, struct signer *signer)
{
	struct signer_key key = { number, maps->slot };
	struct signer known;
	int err = 0;

	if (!bpf_map_lookup_elem(maps->signers, &key, &known)) {
		signer->doors |= known.doors;
		signer->expires = earlier_end(signer->expires, known.expires);
	} else if (maps->added++ >= MAX_SIGNERS) {
		err = -E2BIG;
	}
	explicit_bzero(&known, sizeof(known));
	err = err ?: begin_time(maps, number);
	if (!err && bpf_map_update_elem(maps->signers, &key, signer, BPF_ANY))
		err = -errno;
	return err ? fail_signers(err) : 0;
}

static int add_signer(struct signer_maps *maps, const struct signing_key *key, __u32 door)
{
	struct signer signer = { .expires = key->expires, .doors = 1ull << (door - 1) };
	int err;

	blake2s_keyed(signer.state, sizeof(((struct signed_knock *)0)->tag), key->key);
	memcpy(signer.server, key->server, sizeof(signer.server));
	err = put_signer(maps, key_number(key), &signer);
	explicit_bzero(&signer, sizeof(signer));
	return err;
}

/* Copies the signers that may open a door from the other slot. */
static int keep_signers(struct signer_maps *maps, __u32 door)
{
	__u64 bit = 1ull << (door - 1);
	int err = 0;

	for (size_t i = 0; i < maps->key_count && !err; i++) {
		const struct signer_key *key = &maps->keys[i];
		struct signer signer;

		if (key->slot == maps->slot || bpf_map_lookup_elem(maps->signers, key, &signer))
			continue;
		if (signer.doors & bit) {
			signer.doors = bit;
			err = put_signer(maps, key->number, &signer);
		}
		explicit_bzero(&signer, sizeof(signer));
	}
	return err;
}

static bool is_known(const struct ruleset *others, const struct rule *rule)
{
	long at = ruleset_find(others, rule);

	return at >= 0 && others->rules[at].door == rule->door;
}

static void fill_door(struct signer_maps *maps, const struct rule *rule,
		      const struct ruleset *others)
{
	struct signing_key *keys = NULL;
	size_t count = 0;
	int err = keys_read(rule->knock->keys, &keys, &count);
	bool keeps = err && is_known(others, rule);

	if (keeps)
		err = keep_signers(maps, rule->door);
	for (size_t i = 0; i < count && !err && !keeps; i++) {
		if (key_opens(&keys[i], rule->knock->name))
			err = add_signer(maps, &keys[i], rule->door);
	}
	keys_free(keys, count);
	if (err)
		note("the door \"%s\" does not open to keys that could not be read: correct "
		     "the file, then \"portctl apply\"",
		     rule->knock->name);
	else if (keeps)
		note("the door \"%s\" keeps the keys that it had", rule->knock->name);
}

static void fill_doors(struct signer_maps *maps, const struct ruleset *ruleset,
		       const struct ruleset *others)
{
	if (list_keys(maps)) {
		note("signed knocks have no effect: out of memory");
		return;
	}
	empty_slot(maps);
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].knock && ruleset->rules[i].knock->keys)
			fill_door(maps, &ruleset->rules[i], others);
	}
	free(maps->keys);
}

void signers_fill(const struct datapath *dp, unsigned int slot, const struct ruleset *ruleset)
{
	cleanup_close int signers = pin_open(dp, NULL, "signers");
	cleanup_close int last = pin_open(dp, NULL, "last_signed");
	struct signer_maps maps = { .signers = signers, .last = last, .slot = slot };
	cleanup_ruleset struct ruleset others;

	ruleset_init(&others);
	if (signers < 0 || last < 0) /* nothing was ever attached: attaching fills them */
		return;
	if (!stored_load(dp, !slot, &others))
		fill_doors(&maps, ruleset, &others);
}
