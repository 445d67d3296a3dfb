// SPDX-License-Identifier: GPL-2.0-only
#include "compile/lifelines.h"

#include "base/array.h"

/*
 * Sets the entry of a key for a value of its option. If the option drops but has no line for
 * that, the entry of the fallback key applies.
 */
static void lifeline_entry(const struct option_info *info, const struct option_key *key,
			   enum verdict verdict, entry_t *entries)
{
	if (verdict == VERDICT_PASS)
		entries[key->key] = entry_make(VERDICT_PASS, 0, info->line);
	else if (info->drop_line)
		entries[key->key] = entry_make(VERDICT_DROP, 0, info->drop_line);
	else
		entries[key->key] = entries[key->fallback];
}

/* One limit for all keys: it protects this host from answering a flood. */
static int lifeline_limit(const struct option_info *info, struct image *image)
{
	struct detail detail = {
		.interval = 1000000000 / info->rate,
		.tolerance = (info->rate - 1) * (1000000000ull / info->rate),
		.entry = entry_make(VERDICT_PASS, 0, info->line),
		.limited = entry_make(VERDICT_DROP, 0, info->limited_line),
	};
	entry_t entry;
	int err = image_add_detail(image, ENTRY_RULE, &detail, &entry);

	for (size_t i = 0; i < ARRAY_SIZE(info->keys) && info->keys[i].key && !err; i++)
		image->table.entries[info->keys[i].key] = entry;
	return err;
}

/* Puts a check before the entry that a port has. */
static int lifeline_flag(const struct option_info *info, const struct option_key *key,
			 struct image *image)
{
	entry_t *entry = &image->table.entries[key->key];
	const struct detail detail = { .next = *entry };

	return image_add_detail(image, info->flag, &detail, entry);
}

static int fill_option(const struct ruleset *ruleset, enum rule_option option,
		       struct image *image)
{
	const struct option_info *info = &option_table[option];
	enum verdict verdict = ruleset->options[option];
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(info->keys) && info->keys[i].key && !err; i++) {
		if (!info->flag)
			lifeline_entry(info, &info->keys[i], verdict, image->table.entries);
		else if (verdict == VERDICT_PASS)
			err = lifeline_flag(info, &info->keys[i], image);
	}
	if (!err && info->rate && verdict == VERDICT_PASS && ruleset->fallback != VERDICT_PASS)
		err = lifeline_limit(info, image);
	return err;
}

int lifelines_fill(const struct ruleset *ruleset, struct image *image)
{
	int err = 0;

	for (enum rule_option option = 0; option < OPTIONS && !err; option++)
		err = fill_option(ruleset, option, image);
	return err;
}

bool lifeline_is_dhcp(const struct ruleset *ruleset, __u32 key)
{
	const struct option_info *info = &option_table[OPTION_DHCP];
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(info->keys); i++)
		found |= info->keys[i].key == key;
	return found && ruleset->options[OPTION_DHCP] == VERDICT_PASS;
}
