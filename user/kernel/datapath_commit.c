// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing the running ruleset. Everything is made ready in the slot that no
 * packet looks at; then one store makes it the active one. A process that is
 * killed anywhere in here leaves the old ruleset or the new.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "base/clock.h"
#include "compile/compile.h"
#include "kernel/counters.h"
#include "kernel/datapath_internal.h"
#include "base/cleanup.h"
#include "base/log.h"

/*
 * A slot's ruleset as it is pinned: this header, the rules' lines and verdicts,
 * and the text they are parsed from.
 */
struct stored_ruleset {
	__u32 rule_count;
	__u32 text_size; /* bytes, without a NUL */
	struct stored_rule rules[];
};

/* The map has elements of this size, as many as it takes. */
#define STORED_ELEMENT 4096

/*
 * What a slot is being filled with. The flip makes it the slot's own: where a change came
 * to no end before, the slot that is not active holds some of it, and has its old text.
 */
static void next_path(const struct datapath *dp, unsigned int slot, char path[PATH_MAX])
{
	pin_path(dp, NULL, slot ? "ruleset1_next" : "ruleset0_next", path);
}

static void own_path(const struct datapath *dp, unsigned int slot, char path[PATH_MAX])
{
	pin_path(dp, NULL, slot ? "ruleset1" : "ruleset0", path);
}

static void stored_path(const struct datapath *dp, unsigned int slot, char path[PATH_MAX])
{
	next_path(dp, slot, path);
	if (slot != (dp->control->generation & 1) || access(path, F_OK))
		own_path(dp, slot, path);
}

static size_t stored_size(size_t rule_count, size_t text_size)
{
	return sizeof(struct stored_ruleset) + rule_count * sizeof(struct stored_rule) +
	       text_size + 1;
}

/* Maps the stored ruleset of a slot; -ENOENT where there is none. */
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
		unmap(*stored, *size);
		return -EPROTO;
	}
	return 0;
}

static void set_stored(struct rule *rule, const struct stored_rule *stored)
{
	rule->line = stored->line;
	rule->limited_line = stored->limited_line;
	rule->ends = stored->ends;
	rule->since = stored->since;
	rule->door = stored->door;
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
		set_stored(&ruleset->rules[i], &stored->rules[i]);
	return 0;
}

int ruleset_load(const struct datapath *dp, unsigned int slot, struct ruleset *ruleset)
{
	struct stored_ruleset *stored;
	size_t size;
	int err = stored_map(dp, slot, &stored, &size);

	if (err == -ENOENT)
		return 0;
	if (err)
		return err;
	err = stored_parse(stored, ruleset);
	unmap(stored, size);
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

/* Under its own name first: the slot keeps the text it has until all is ready. */
static int store_next(const struct datapath *dp, unsigned int slot,
		      const struct ruleset *ruleset)
{
	struct stored_ruleset *stored;
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	size_t text_size, size;
	FILE *out = open_memstream(&text, &text_size);
	int err;

	if (!out)
		return -ENOMEM;
	ruleset_print(ruleset, out);
	if (fclose(out))
		return -ENOMEM;
	size = stored_size(ruleset->count, text_size);
	next_path(dp, slot, path);
	err = stored_create(path, size, &stored);
	if (err)
		return err;
	stored->rule_count = ruleset->count;
	stored->text_size = text_size;
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		stored->rules[i] = (struct stored_rule){
			.line = rule->line,
			.limited_line = rule->limited_line,
			.verdict = rule->action,
			.ends = rule->ends,
			.since = rule->since,
			.door = rule->door,
		};
	}
	memcpy(&stored->rules[ruleset->count], text, text_size);
	unmap(stored, size);
	return 0;
}

/* After the flip. Whoever comes after a kill here does it. */
static int own_next(const struct datapath *dp, unsigned int slot)
{
	char from[PATH_MAX], to[PATH_MAX];

	next_path(dp, slot, from);
	own_path(dp, slot, to);
	return rename(from, to) && errno != ENOENT ? -errno : 0;
}

int datapath_ruleset(const struct datapath *dp, struct ruleset *ruleset)
{
	int err;

	if (!dp->control)
		return 0;
	err = ruleset_load(dp, dp->control->generation & 1, ruleset);
	if (err)
		return fail(err, "cannot read the running ruleset in %s: %s", dp->path,
			    reason(err));
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

int datapath_rules_before(const struct datapath *dp, struct ruleset *ruleset)
{
	int err;

	if (!dp->control)
		return 0;
	err = ruleset_load(dp, (dp->control->generation + 1) & 1, ruleset);
	if (err)
		return fail(err, "cannot read the ruleset before in %s: %s", dp->path,
			    reason(err));
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
	if (err == -ENOENT)
		return 0;
	if (err)
		return fail(err, "cannot read the ruleset before in %s: %s", dp->path,
			    reason(err));
	bytes = stored->rule_count * sizeof(*stored->rules);
	*rules = malloc(bytes + 1);
	if (*rules) {
		memcpy(*rules, stored->rules, bytes);
		*count = stored->rule_count;
	}
	unmap(stored, size);
	return *rules ? 0 : fail(-ENOMEM, "%s", reason(-ENOMEM));
}

/*
 * Does what the note says: the counts of a line move to another. Can be done any number
 * of times, until the note is gone.
 */
static void finish_move(struct interface *iface)
{
	struct counters *counters = iface->counters;
	struct line_move *move = &counters->move;

	counters->line[move->to] = move->sum;
	counters->line[move->from] = (struct tally){ 0 };
	for (size_t cpu = 0; cpu < iface->cpus; cpu++)
		iface->cpu_counters[cpu].line[move->from] = 0;
	__atomic_store_n(&move->from, 0, __ATOMIC_RELEASE);
}

/*
 * Moves what a line has counted to one of the "removed" lines, which no packet
 * is charged to, so that the lines go on adding up. The note is written first:
 * after a kill in the middle the move is finished, not done twice.
 */
static void move_line(struct interface *iface, __u32 from, __u32 to)
{
	struct counters *counters = iface->counters;
	struct line_move *move = &counters->move;
	struct tally counted = counter_line(iface, from);

	if (!counted.packets)
		return;
	move->to = to;
	move->sum.packets = counters->line[to].packets + counted.packets;
	move->sum.bytes = counters->line[to].bytes + counted.bytes;
	__atomic_store_n(&move->from, from, __ATOMIC_RELEASE);
	finish_move(iface);
}

/* Whether a line of a rule that was active before is no rule's any more. */
static bool is_gone(__u32 line, const unsigned char *in_use)
{
	return line && line < MAX_LINES && !in_use[line];
}

static void retire_rule(struct interface *iface, const struct stored_rule *rule,
			const unsigned char *in_use)
{
	__u32 to = rule->verdict == VERDICT_PASS ? LINE_REMOVED_PASS : LINE_REMOVED_DROP;

	if (is_gone(rule->line, in_use))
		move_line(iface, rule->line, to);
	if (is_gone(rule->limited_line, in_use))
		move_line(iface, rule->limited_line, LINE_REMOVED_DROP);
}

/* Of one interface, of which so many lines are needed besides. */
static int finish_begun(const struct datapath *dp, struct interface *iface, __u32 lines)
{
	const struct line_move *move;
	int err = interface_map_counters(dp, iface, MAX(lines, LINE_FIRST_RULE));

	if (err)
		return err;
	move = &iface->counters->move;
	if (!move->from)
		return 0;
	err = interface_map_counters(dp, iface,
				     MAX(iface->mapped, MAX(move->from, move->to) + 1));
	if (!err)
		finish_move(iface);
	return err;
}

static int finish_all(struct datapath *dp, __u32 lines)
{
	int err = 0;

	for (size_t i = 0; i < dp->count && !err; i++)
		err = finish_begun(dp, &dp->interfaces[i], lines);
	return err;
}

int finish_moves(struct datapath *dp)
{
	return finish_all(dp, 0);
}

/* Those of a ruleset's rules. */
static unsigned char *lines_in_use(const struct ruleset *ruleset)
{
	unsigned char *in_use = calloc(MAX_LINES, 1);

	for (size_t i = 0; i < ruleset->count && in_use; i++) {
		in_use[ruleset->rules[i].line] = 1;
		in_use[ruleset->rules[i].limited_line] = 1;
	}
	return in_use;
}

/* How many lines there are up to the last of these rules'. */
static __u32 lines_of(const struct stored_rule *rules, size_t count)
{
	__u32 lines = 0;

	for (size_t i = 0; i < count; i++)
		lines = MAX(lines, MAX(rules[i].line, rules[i].limited_line) + 1);
	return MIN(lines, MAX_LINES);
}

/*
 * Empties the lines of rules that are gone, before another rule gets them. A move that
 * was begun and not finished is one of those.
 */
static int retire_lines(struct datapath *dp, const struct ruleset *active)
{
	cleanup_free unsigned char *in_use = lines_in_use(active);
	cleanup_free struct stored_rule *rules = NULL;
	size_t count, first = 0;
	int err = datapath_previous(dp, &rules, &count);

	if (err || !in_use)
		return err ?: -ENOMEM;
	while (first < count && !is_gone(rules[first].line, in_use) &&
	       !is_gone(rules[first].limited_line, in_use))
		first++;
	if (first == count)
		return 0;
	err = finish_all(dp, lines_of(rules, count));
	for (size_t n = 0; n < dp->count && !err; n++) {
		for (size_t i = first; i < count; i++)
			retire_rule(&dp->interfaces[n], &rules[i], in_use);
	}
	return err;
}

/*
 * Rules that did not run before find no limit used up by whichever had their lines; as no
 * packet is charged to those, none takes from them meanwhile. Limits per source have
 * nothing to be filled: the rule's `since` tells them from those before.
 */
static int fill_buckets(const struct datapath *dp, const struct interface *iface,
			const struct ruleset *next)
{
	cleanup_close int buckets = pin_open(dp, iface->name, "buckets");
	__u64 due = 0;

	if (buckets < 0)
		return buckets;
	for (size_t i = 0; i < next->count; i++) {
		const struct rule *rule = &next->rules[i];

		if (!rule->since && (rule->limit.count || rule->door) &&
		    bpf_map_update_elem(buckets, &rule->line, &due, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int fill_all_buckets(const struct datapath *dp, const struct ruleset *next)
{
	int err = 0;

	for (size_t i = 0; i < dp->count && !err; i++)
		err = fill_buckets(dp, &dp->interfaces[i], next);
	return err;
}

/* Rules that did not run before begin now; those with "for" also where they had ended. */
static void begin_rules(struct ruleset *ruleset, __u64 now)
{
	__u64 utc = utc_now();

	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		rule->since = rule->since ?: utc;
		if (rule->seconds && rule->ends <= now)
			rule->ends = now + rule->seconds * 1000000000ull;
	}
}

/* Doors that no knock of `active` has begin anew. */
static int clear_doors(const struct datapath *dp, const struct ruleset *next,
		       const struct ruleset *active)
{
	bool in_use[MAX_DOORS + 1] = { true };
	int err = 0;

	for (size_t i = 0; i < active->count; i++)
		in_use[active->rules[i].door] = true;
	for (size_t i = 0; i < next->count && !err; i++) {
		if (!in_use[next->rules[i].door])
			err = door_clear(dp, next->rules[i].door);
	}
	return err;
}

static int fill_interface(const struct datapath *dp, const struct interface *iface,
			  unsigned int slot, const struct ruleset *next)
{
	struct slot_maps maps;
	int err = slot_maps_open(dp, iface->name, &maps);

	err = err ?: slot_fill(&maps, iface->name, iface->table, slot, next);
	slot_maps_close(&maps);
	return err;
}

static int fill_interfaces(const struct datapath *dp, unsigned int slot,
			   const struct ruleset *ruleset)
{
	int err = 0;

	for (size_t i = 0; i < dp->count && !err; i++)
		err = fill_interface(dp, &dp->interfaces[i], slot, ruleset);
	if (!err)
		signers_fill(dp, slot, ruleset);
	return err;
}

int slot_mend(struct datapath *dp, unsigned int slot)
{
	struct ruleset ruleset;
	char path[PATH_MAX];
	int err = own_next(dp, !slot);

	next_path(dp, slot, path);
	if (err || access(path, F_OK))
		return err;
	ruleset_init(&ruleset);
	err = settle(dp);
	if (!err)
		err = ruleset_load(dp, slot, &ruleset);
	if (!err)
		err = fill_interfaces(dp, slot, &ruleset);
	ruleset_clear(&ruleset);
	return err ?: unlink(path) ? -errno : 0;
}

static int prepare_slot(struct datapath *dp, unsigned int slot, struct ruleset *next)
{
	__u64 now = since_boot();
	struct ruleset active;
	int err;

	ruleset_init(&active);
	err = ruleset_load(dp, !slot, &active) ?: slot_mend(dp, slot);
	if (!err)
		err = settle(dp);
	if (!err)
		err = retire_lines(dp, &active);
	ruleset_drop_ended(next, now);
	if (!err)
		err = assign_lines(next, &active);
	if (!err)
		err = fill_all_buckets(dp, next);
	begin_rules(next, now);
	if (!err)
		err = clear_doors(dp, next, &active);
	if (!err)
		err = store_next(dp, slot, next);
	if (!err)
		err = fill_interfaces(dp, slot, next);
	ruleset_clear(&active);
	return err;
}

int datapath_commit(struct datapath *dp, struct ruleset *next, __u32 seconds)
{
	int err = datapath_decided(dp) ?: datapath_create(dp);
	__u32 generation;

	if (err)
		return err;
	generation = dp->control->generation + 1;
	way_back_forget(dp);
	err = prepare_slot(dp, generation & 1, next);
	if (!err && seconds)
		err = way_back_prepare(dp, generation, seconds);
	if (err) {
		way_back_forget(dp);
		return fail(err, "cannot change the rules: %s; nothing was changed",
			    reason(err));
	}
	__atomic_store_n(&dp->control->generation, generation, __ATOMIC_RELEASE);
	own_next(dp, generation & 1);
	err = seconds ? way_back_if_late(dp) : 0;
	settle_behind(dp);
	return err;
}
