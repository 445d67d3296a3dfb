// SPDX-License-Identifier: GPL-2.0-only
/* From key files to the map of who may sign. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "hash.h"
#include "datapath_internal.h"
#include "log.h"
#include "signing.h"
#include "util.h"

struct signer_maps {
	int signers;
	int last;
};

static int open_map(const struct datapath *dp, const char *pin)
{
	char path[PATH_MAX];

	pin_path(dp, NULL, pin, path);
	return bpf_obj_get(path);
}

static int fail_full(int err)
{
	return fail(err, "cannot keep the signers: %s",
		    err == -E2BIG ? "there are too many" : reason(err));
}

/* Adds a door to a signer; when they last signed is written once and then left alone. */
static int add_signer(const struct signer_maps *maps, const struct signing_key *key, __u32 door)
{
	struct signer signer = { 0 }, known;
	__be32 number = key_number(key);
	__u64 never = 0;
	int err = 0;

	blake2s_keyed(signer.state, sizeof(((struct signed_knock *)0)->tag), key->key);
	memcpy(signer.server, key->server, sizeof(signer.server));
	signer.expires = key->expires;
	signer.doors = 1ull << (door - 1);
	if (!bpf_map_lookup_elem(maps->signers, &number, &known))
		signer.doors |= known.doors;
	if (bpf_map_update_elem(maps->last, &number, &never, BPF_NOEXIST) && errno != EEXIST)
		err = -errno;
	else if (bpf_map_update_elem(maps->signers, &number, &signer, BPF_ANY))
		err = -errno;
	explicit_bzero(&signer, sizeof(signer));
	explicit_bzero(&known, sizeof(known));
	return err ? fail_full(err) : 0;
}

static bool is_among(const struct signing_key *keys, size_t count, __be32 number,
		     const char *door)
{
	for (size_t i = 0; i < count; i++) {
		if (key_number(&keys[i]) == number && key_opens(&keys[i], door))
			return true;
	}
	return false;
}

/* Takes a door from those who are not in its key file. They stay, as does their time. */
static void take_door(const struct signer_maps *maps, const struct signing_key *keys,
		      size_t count, const struct rule *rule)
{
	__u64 bit = 1ull << (rule->door - 1);
	__be32 number;
	bool first = true;

	while (!bpf_map_get_next_key(maps->signers, first ? NULL : &number, &number)) {
		struct signer signer;

		first = false;
		if (!bpf_map_lookup_elem(maps->signers, &number, &signer) &&
		    signer.doors & bit && !is_among(keys, count, number, rule->knock->name)) {
			signer.doors &= ~bit;
			bpf_map_update_elem(maps->signers, &number, &signer, BPF_EXIST);
		}
		explicit_bzero(&signer, sizeof(signer));
	}
}

static void fill_door(const struct signer_maps *maps, const struct rule *rule)
{
	const char *path = rule->knock->keys;
	struct signing_key *keys = NULL;
	size_t count = 0;
	int err = path ? keys_read(path, &keys, &count) : 0;

	if (err) {
		keys_free(keys, count);
		keys = NULL;
		count = 0;
	}
	for (size_t i = 0; i < count && !err; i++) {
		if (key_opens(&keys[i], rule->knock->name))
			err = add_signer(maps, &keys[i], rule->door);
	}
	take_door(maps, keys, count, rule);
	keys_free(keys, count);
	if (err)
		note("the door \"%s\" stays shut until \"portctl apply\" finds its keys",
		     rule->knock->name);
}

void signers_fill(const struct datapath *dp, const struct ruleset *ruleset)
{
	cleanup_close int signers = open_map(dp, "signers");
	cleanup_close int last = open_map(dp, "last_signed");
	struct signer_maps maps = { signers, last };

	if (signers < 0 || last < 0) /* nothing was ever attached: attaching fills them */
		return;
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].knock)
			fill_door(&maps, &ruleset->rules[i]);
	}
}
