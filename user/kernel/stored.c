// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rulesets as they are pinned: for each slot a map with the text of its ruleset, and what
 * the text does not say of each rule.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "kernel/datapath_internal.h"
#include "kernel/needs.h"
#include "kernel/pins.h"
#include "rules/ruleset_parse.h"

/* A stored ruleset. Behind the rules follows the text that they are parsed from. */
struct stored_ruleset {
	__u32 rule_count;
	__u32 text_size; /* bytes, without a NUL */
	struct stored_rule rules[];
};

/* The map is an array of as many elements of this size as the stored ruleset needs. */
#define STORED_ELEMENT 4096

static void stored_next_path(const struct datapath *dp, unsigned int slot, char path[PATH_MAX])
{
	pin_path(dp, NULL, slot ? "ruleset1_next" : "ruleset0_next", path);
}

static void stored_own_path(const struct datapath *dp, unsigned int slot, char path[PATH_MAX])
{
	pin_path(dp, NULL, slot ? "ruleset1" : "ruleset0", path);
}

/*
 * After a flip, the next ruleset of the active slot is its ruleset, even if a kill came before
 * it was renamed. A next ruleset of the other slot belongs to a change that did not finish.
 */
static void stored_path(const struct datapath *dp, unsigned int slot, char path[PATH_MAX])
{
	stored_next_path(dp, slot, path);
	if (slot != (dp->control->generation & 1) || access(path, F_OK))
		stored_own_path(dp, slot, path);
}

static size_t stored_size(size_t rule_count, size_t text_size)
{
	return sizeof(struct stored_ruleset) + rule_count * sizeof(struct stored_rule) +
	       text_size + 1;
}

/* Maps the stored ruleset of a slot. Returns -ENOENT if the slot has none. */
static int stored_map(const struct datapath *dp, unsigned int slot,
		      struct stored_ruleset **stored, size_t *size)
{
	char path[PATH_MAX];
	size_t element, count;
	int err;

	stored_path(dp, slot, path);
	err = pin_map(path, (void **)stored, &element, &count);
	if (err)
		return err;
	*size = element * count;
	if (*size < sizeof(**stored) || (*stored)->rule_count > MAX_RULES ||
	    stored_size((*stored)->rule_count, (*stored)->text_size) > *size) {
		pin_unmap(*stored, *size);
		return -EPROTO;
	}
	return 0;
}

static void stored_read_rule(struct rule *rule, const struct stored_rule *stored)
{
	rule->line = stored->line;
	rule->limited_line = stored->limited_line;
	rule->ends = stored->ends;
	rule->since = stored->since;
	rule->door = stored->door;
}

static struct stored_rule stored_make_rule(const struct rule *rule)
{
	return (struct stored_rule){
		.line = rule->line,
		.limited_line = rule->limited_line,
		.verdict = rule->action,
		.ends = rule->ends,
		.since = rule->since,
		.door = rule->door,
	};
}

static int stored_parse(const struct stored_ruleset *stored, struct ruleset *ruleset)
{
	cleanup_free char *message = NULL;
	size_t size;
	cleanup_file FILE *out = open_memstream(&message, &size);
	struct report report = { .out = out, .file = "running" };
	int err;

	if (!out)
		return -ENOMEM;
	err = ruleset_parse(ruleset, (const char *)&stored->rules[stored->rule_count], &report);
	if (err)
		return err;
	if (ruleset->count != stored->rule_count)
		return -EPROTO;
	for (size_t i = 0; i < ruleset->count; i++)
		stored_read_rule(&ruleset->rules[i], &stored->rules[i]);
	return 0;
}

int stored_load(const struct datapath *dp, unsigned int slot, struct ruleset *ruleset)
{
	struct stored_ruleset *stored;
	size_t size;
	int err = stored_map(dp, slot, &stored, &size);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = stored_parse(stored, ruleset);
	pin_unmap(stored, size);
	return err;
}

static int stored_create(const char *path, size_t size, struct stored_ruleset **stored)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	size_t count = (size + STORED_ELEMENT - 1) / STORED_ELEMENT;
	cleanup_close int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ruleset", sizeof(__u32),
					      STORED_ELEMENT, count, &opts);

	if (fd < 0 || bpf_obj_pin(fd, path))
		return -errno;
	return pin_map(path, (void **)stored, NULL, NULL);
}

static int stored_text(const struct ruleset *ruleset, char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);

	if (!out)
		return -ENOMEM;
	ruleset_print(ruleset, out);
	return fclose(out) ? -ENOMEM : 0;
}

int stored_write_next(const struct datapath *dp, unsigned int slot,
		      const struct ruleset *ruleset)
{
	struct stored_ruleset *stored;
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	size_t text_size, size;
	int err = stored_text(ruleset, &text, &text_size);

	if (err)
		return err;
	size = stored_size(ruleset->count, text_size);
	stored_next_path(dp, slot, path);
	err = stored_create(path, size, &stored);
	if (err)
		return err;
	stored->rule_count = ruleset->count;
	stored->text_size = text_size;
	for (size_t i = 0; i < ruleset->count; i++)
		stored->rules[i] = stored_make_rule(&ruleset->rules[i]);
	memcpy(&stored->rules[ruleset->count], text, text_size);
	pin_unmap(stored, size);
	return 0;
}

int stored_take_next(const struct datapath *dp, unsigned int slot)
{
	char from[PATH_MAX], to[PATH_MAX];

	stored_next_path(dp, slot, from);
	stored_own_path(dp, slot, to);
	return rename(from, to) && errno != ENOENT ? -errno : 0;
}

bool stored_has_next(const struct datapath *dp, unsigned int slot)
{
	char path[PATH_MAX];

	stored_next_path(dp, slot, path);
	return !access(path, F_OK);
}

int stored_remove_next(const struct datapath *dp, unsigned int slot)
{
	char path[PATH_MAX];

	stored_next_path(dp, slot, path);
	return unlink(path) ? -errno : 0;
}

int datapath_ruleset(const struct datapath *dp, struct ruleset *ruleset)
{
	int err;

	if (!dp->control)
		return 0;
	err = stored_load(dp, dp->control->generation & 1, ruleset);
	if (err)
		return fail(err, "cannot read the running ruleset in %s: %s", dp->path,
			    datapath_reason(err));
	ruleset_number(ruleset, since_boot());
	return 0;
}

int datapath_rules_in_force(const struct datapath *dp, struct ruleset *ruleset)
{
	int err = datapath_ruleset(dp, ruleset);

	if (!err)
		ruleset_drop_ended(ruleset, since_boot());
	return err;
}

static int fail_previous(const struct datapath *dp, int err)
{
	return fail(err, "cannot read the previous ruleset in %s: %s", dp->path,
		    datapath_reason(err));
}

int datapath_rules_before(const struct datapath *dp, struct ruleset *ruleset)
{
	int err;

	if (!dp->control)
		return 0;
	err = stored_load(dp, (dp->control->generation + 1) & 1, ruleset);
	if (err)
		return fail_previous(dp, err);
	ruleset_drop_ended(ruleset, since_boot());
	return 0;
}

int datapath_previous(const struct datapath *dp, struct stored_rule **rules, size_t *count)
{
	struct stored_ruleset *stored;
	size_t size, bytes;
	int err;

	*rules = NULL;
	*count = 0;
	if (!dp->control)
		return 0;
	err = stored_map(dp, (dp->control->generation + 1) & 1, &stored, &size);
	if (err)
		return err == -ENOENT ? 0 : fail_previous(dp, err);
	bytes = stored->rule_count * sizeof(*stored->rules);
	*rules = malloc(bytes + 1);
	if (*rules) {
		memcpy(*rules, stored->rules, bytes);
		*count = stored->rule_count;
	}
	pin_unmap(stored, size);
	return *rules ? 0 : out_of_memory();
}
