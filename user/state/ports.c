// SPDX-License-Identifier: GPL-2.0-only
#include "state/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/evaluate.h"
#include "rules/names.h"
#include "rules/prefix.h"
#include "compile/compile.h"
#include "compile/image.h"
#include "compile/lifelines.h"
#include "base/array.h"
#include "base/cleanup.h"

const char *reach_name(enum reach reach)
{
	static const char *const names[] = {
		[REACH_NONE] = "no",	  [REACH_GRANT] = "grant only",
		[REACH_DHCP] = "dhcp",	  [REACH_SOURCES] = "sources",
		[REACH_ALL] = "everyone",
	};

	return names[reach];
}

const char *port_state_name(enum port_state state)
{
	static const char *const names[] = {
		[STATE_OPEN] = "open",
		[STATE_CLOSED] = "closed",
		[STATE_FILTERED] = "filtered",
		[STATE_OPEN_OR_FILTERED] = "open|filtered",
	};

	return names[state];
}

/* Whether a rule is for all sources, at least of one family. */
static bool is_for_everybody(const struct rule *rule)
{
	bool found = !rule->source_count;

	for (size_t i = 0; i < rule->source_count && !found; i++)
		found = !rule->sources[i].length;
	return found;
}

static unsigned char marks_of(const struct rule *rule)
{
	unsigned char bits = MARK_ALLOWED;

	if (rule->knock)
		return MARK_ALLOWED | MARK_ALLOWED_ALL | MARK_DOOR;
	if (rule->action != VERDICT_PASS)
		return 0;
	if (rule->source_count)
		bits |= MARK_SOURCES;
	return is_for_everybody(rule) ? bits | MARK_ALLOWED_ALL : bits;
}

static void mark_key(struct outlook *outlook, __u32 key, unsigned char bits, size_t rule)
{
	if (bits & ~outlook->marks[key] & MARK_SOURCES)
		outlook->first_sources[key] = rule;
	outlook->marks[key] |= bits;
}

static void mark_term(struct outlook *outlook, const struct term *term, unsigned char bits,
		      size_t rule)
{
	if (term->last - term->first < PORTS_NAMED)
		bits |= MARK_NAMED;
	if (!bits)
		return;
	for (__u32 port = term->first; port <= term->last; port++) {
		if (term->transports & TRANSPORT_TCP)
			mark_key(outlook, PORT_KEY_TCP + port, bits, rule);
		if (term->transports & TRANSPORT_UDP)
			mark_key(outlook, PORT_KEY_UDP + port, bits, rule);
	}
}

/* Whether a rule is for one of the interfaces. If there are none, rules for any one count. */
static bool is_for_one_of(const struct rule *rule, const struct interface *interfaces,
			  size_t count)
{
	bool found = !*rule->iface || !count;

	for (size_t i = 0; i < count && !found; i++)
		found = !strcmp(rule->iface, interfaces[i].name);
	return found;
}

static int find_in_force(struct outlook *outlook, const struct interface *interfaces,
			 size_t count)
{
	outlook->in_force = calloc(outlook->ruleset->count + 1, sizeof(*outlook->in_force));
	if (!outlook->in_force)
		return -ENOMEM;
	for (size_t i = 0; i < outlook->ruleset->count; i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];

		outlook->in_force[i] = is_for_one_of(rule, interfaces, count) &&
				       (!rule->ends || outlook->now < rule->ends);
	}
	return 0;
}

static int read_marks(struct outlook *outlook)
{
	bool everywhere = false; /* a rule without ports gave all keys MARK_SOURCES */

	outlook->marks = calloc(PORT_KEYS, 1);
	outlook->first_sources = calloc(PORT_KEYS, sizeof(*outlook->first_sources));
	if (!outlook->marks || !outlook->first_sources)
		return -ENOMEM;
	for (size_t i = 0; i < outlook->ruleset->count; i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];
		unsigned char bits = marks_of(rule);

		if (!outlook->in_force[i])
			continue;
		for (size_t t = 0; t < rule->term_count; t++)
			mark_term(outlook, &rule->terms[t], bits, i);
		if (rule->term_count || everywhere || !(bits & MARK_SOURCES))
			continue;
		everywhere = true;
		for (__u32 key = 0; key < PORT_KEYS; key++)
			mark_key(outlook, key, MARK_SOURCES, i);
	}
	return 0;
}

/* Whether no rule names an interface. Then one image will do for all interfaces. */
static bool is_same_everywhere(const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (*ruleset->rules[i].iface)
			return false;
	}
	return true;
}

static int compile_on(struct outlook *outlook, const struct interface *interfaces, size_t count)
{
	int err = 0;

	if (count && is_same_everywhere(outlook->ruleset))
		count = 1;
	outlook->images = calloc(count + 1, sizeof(*outlook->images));
	if (!outlook->images)
		return -ENOMEM;
	for (size_t i = 0; i < count && !err; i++) {
		struct image *image = large_calloc(1, sizeof(*image));

		if (!image)
			return -ENOMEM;
		outlook->images[outlook->image_count++] = image;
		err = compile(outlook->ruleset, interfaces[i].name, image, NULL);
	}
	return err;
}

int outlook_prepare(struct outlook *outlook, const struct interface *interfaces, size_t count)
{
	int err = find_in_force(outlook, interfaces, count);

	err = err ?: read_marks(outlook);
	err = err ?: compile_on(outlook, interfaces, count);
	return err ?: strangers_find(outlook->ruleset, outlook->strangers);
}

void outlook_clear(struct outlook *outlook)
{
	for (size_t i = 0; i < outlook->image_count; i++) {
		image_clear(outlook->images[i]);
		free(outlook->images[i]);
	}
	free(outlook->images);
	free(outlook->in_force);
	free(outlook->marks);
	free(outlook->first_sources);
	outlook->images = NULL;
	outlook->image_count = 0;
	outlook->in_force = NULL;
	outlook->marks = NULL;
	outlook->first_sources = NULL;
}

static bool has_family(unsigned char families, const struct prefix *source)
{
	return families & (source->family == 4 ? FAMILY_IPV4 : FAMILY_IPV6);
}

static enum verdict verdict_on(const struct outlook *outlook, size_t image, __u32 key,
			       const struct prefix *source)
{
	return entry_verdict(evaluate_entry(outlook->images[image], key, source, outlook->now,
					    outlook->doors));
}

/* The verdict of the interface that lets the outsider see most: pass, then reject, then drop. */
static enum verdict outlook_verdict(const struct outlook *outlook, __u32 key,
				    const struct prefix *source)
{
	enum verdict most = outlook->image_count ? VERDICT_DROP : VERDICT_PASS;

	for (size_t i = 0; i < outlook->image_count && most != VERDICT_PASS; i++) {
		enum verdict verdict = verdict_on(outlook, i, key, source);

		if (verdict == VERDICT_PASS || verdict == VERDICT_REJECT)
			most = verdict;
	}
	return most;
}

/* Whether the source, or a stranger, is let in with packets of one of these families. */
static bool lets_in(const struct outlook *outlook, __u32 key, unsigned char families)
{
	if (outlook->source)
		return has_family(families, outlook->source) &&
		       outlook_verdict(outlook, key, outlook->source) == VERDICT_PASS;
	for (size_t i = 0; i < STRANGERS; i++) {
		if (has_family(families, &outlook->strangers[i]) &&
		    outlook_verdict(outlook, key, &outlook->strangers[i]) == VERDICT_PASS)
			return true;
	}
	return false;
}

/* The first or the last address of a prefix. */
static struct prefix end_of(const struct prefix *source, bool last)
{
	struct prefix address = *source;

	address.length = source->family == 4 ? 32 : 128;
	for (__u32 i = source->length; i < address.length && last; i++)
		address.address[i / 8] |= 0x80 >> i % 8;
	return address;
}

/* Whether an address within `source` is let in that comes right after a narrower source. */
static bool lets_in_between(const struct outlook *outlook, __u32 key,
			    const struct prefix *source)
{
	struct prefix address;

	for (size_t i = 0; i < outlook->ruleset->count; i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];

		if (!rule_has_key(rule, key))
			continue;
		for (size_t s = 0; s < rule->source_count; s++) {
			if (prefix_contains(source, &rule->sources[s]) &&
			    prefix_next_address(&rule->sources[s], &address) &&
			    prefix_contains(source, &address) &&
			    outlook_verdict(outlook, key, &address) == VERDICT_PASS)
				return true;
		}
	}
	return false;
}

/*
 * Whether some address of a prefix is let in. Rules for narrower prefixes within it may drop
 * all of it. Usually one of the two ends is let in, which saves looking at these rules.
 */
static bool lets_in_some(const struct outlook *outlook, __u32 key, const struct prefix *source)
{
	struct prefix first = end_of(source, false), last = end_of(source, true);

	return outlook_verdict(outlook, key, source) == VERDICT_PASS &&
	       (outlook_verdict(outlook, key, &first) == VERDICT_PASS ||
		outlook_verdict(outlook, key, &last) == VERDICT_PASS ||
		lets_in_between(outlook, key, source));
}

/* Whether some source that a rule names is let in. */
static bool has_source(const struct outlook *outlook, __u32 key, unsigned char families)
{
	if (!(outlook->marks[key] & MARK_SOURCES))
		return false;
	for (size_t i = outlook->first_sources[key]; i < outlook->ruleset->count; i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];

		if (rule->action != VERDICT_PASS || rule->knock || !rule_has_key(rule, key))
			continue;
		for (size_t s = 0; s < rule->source_count; s++) {
			if (has_family(families, &rule->sources[s]) &&
			    lets_in_some(outlook, key, &rule->sources[s]))
				return true;
		}
	}
	return false;
}

enum reach port_reach(const struct outlook *outlook, __u32 key, unsigned char families)
{
	if (lets_in(outlook, key, families))
		return REACH_ALL;
	if (outlook->source && !has_family(families, outlook->source))
		return REACH_NONE;
	if (!outlook->source && has_source(outlook, key, families))
		return REACH_SOURCES;
	if (!outlook->source && families && lifeline_is_dhcp(outlook->ruleset, key))
		return REACH_DHCP;
	return outlook->marks[key] & MARK_DOOR ? REACH_GRANT : REACH_NONE;
}

bool port_is_ephemeral(__u32 key)
{
	static int first, last; /* read once: the same for the network namespace's lifetime */
	cleanup_file FILE *file = NULL;

	if (!last)
		file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	if (!last && (!file || fscanf(file, "%d %d", &first, &last) != 2)) {
		first = 32768;
		last = 60999;
	}
	return key >= PORT_KEY_UDP && key_port(key) >= first && key_port(key) <= last;
}

bool port_is_unnamed(const struct outlook *outlook, __u32 key)
{
	return port_is_ephemeral(key) && !(outlook->marks[key] & MARK_NAMED);
}

const struct rule *port_opener(const struct outlook *outlook, __u32 key)
{
	for (size_t i = 0; i < outlook->image_count; i++) {
		for (size_t n = 0; n < STRANGERS; n++) {
			entry_t entry = evaluate_entry(outlook->images[i], key,
						       &outlook->strangers[n], outlook->now, 0);

			if (entry_verdict(entry) == VERDICT_PASS)
				return ruleset_line(outlook->ruleset, entry_line(entry));
		}
	}
	return NULL;
}

bool port_is_decided_by(const struct outlook *outlook, const struct rule *rule, __u32 key,
			const struct prefix *source)
{
	const struct prefix *first = source ?: outlook->strangers;
	size_t count = source ? 1 : STRANGERS;

	for (size_t i = 0; i < outlook->image_count * count; i++) {
		entry_t entry = evaluate_entry(outlook->images[i / count], key,
					       &first[i % count], outlook->now, 0);

		if (entry_line(entry) == rule->line)
			return true;
	}
	return false;
}

/* What an outsider sees of a port, in ascending order. */
enum sight { SIGHT_NOTHING, SIGHT_REFUSAL, SIGHT_LISTENER };

static enum sight see(const struct outlook *outlook, __u32 key, const struct prefix *source,
		      unsigned char families)
{
	switch (outlook_verdict(outlook, key, source)) {
	case VERDICT_PASS:
		return has_family(families, source) ? SIGHT_LISTENER : SIGHT_REFUSAL;
	case VERDICT_REJECT:
		return SIGHT_REFUSAL;
	default:
		return SIGHT_NOTHING;
	}
}

/* A UDP listener need not answer, so from outside it may look like a port that drops. */
enum port_state port_state(const struct outlook *outlook, __u32 key, unsigned char families)
{
	static const enum port_state states[][2] = {
		[SIGHT_NOTHING] = { STATE_FILTERED, STATE_OPEN_OR_FILTERED },
		[SIGHT_REFUSAL] = { STATE_CLOSED, STATE_CLOSED },
		[SIGHT_LISTENER] = { STATE_OPEN, STATE_OPEN_OR_FILTERED },
	};
	enum sight most = SIGHT_NOTHING;

	if (outlook->source)
		most = see(outlook, key, outlook->source, families);
	for (size_t i = 0; i < STRANGERS && !outlook->source; i++) {
		enum sight sight = see(outlook, key, &outlook->strangers[i], families);

		most = sight > most ? sight : most;
	}
	return states[most][key >= PORT_KEY_UDP];
}
