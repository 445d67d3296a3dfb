// SPDX-License-Identifier: GPL-2.0-only
#include "ports.h"

#include <errno.h>

#include "evaluate.h"
#include "names.h"
#include "util.h"

const char *reach_name(enum reach reach)
{
	static const char *const names[] = {
		[REACH_NONE] = "no",
		[REACH_GRANT] = "grant only",
		[REACH_SOURCES] = "sources",
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

bool term_has_key(const struct term *term, __u32 key)
{
	__u8 transport = key < PORT_KEY_UDP ? TRANSPORT_TCP : TRANSPORT_UDP;

	return term->transports & transport && term->first <= key_port(key) &&
	       key_port(key) <= term->last;
}

static bool names_key(const struct rule *rule, __u32 key)
{
	for (size_t i = 0; i < rule->term_count; i++) {
		if (term_has_key(&rule->terms[i], key))
			return true;
	}
	return false;
}

static unsigned char marks_of(const struct rule *rule)
{
	if (rule->knock)
		return MARK_ALLOWED | MARK_DOOR;
	if (rule->action != VERDICT_PASS)
		return 0;
	return MARK_ALLOWED | (rule->source_count ? MARK_SOURCES : 0);
}

static void mark(unsigned char *marks, const struct term *term, unsigned char bits)
{
	if (term->last - term->first < PORTS_NAMED)
		bits |= MARK_NAMED;
	for (__u32 port = term->first; port <= term->last; port++) {
		if (term->transports & TRANSPORT_TCP)
			marks[PORT_KEY_TCP + port] |= bits;
		if (term->transports & TRANSPORT_UDP)
			marks[PORT_KEY_UDP + port] |= bits;
	}
}

int outlook_prepare(struct outlook *outlook)
{
	outlook->marks = calloc(PORT_KEYS, 1);
	if (!outlook->marks)
		return -ENOMEM;
	for (size_t i = 0; i < outlook->ruleset->count; i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];

		for (size_t t = 0; t < rule->term_count; t++)
			mark(outlook->marks, &rule->terms[t], marks_of(rule));
		/* From some sources without a port: all ports. */
		for (__u32 key = 0; !rule->term_count && key < PORT_KEYS; key++)
			outlook->marks[key] |= marks_of(rule) & MARK_SOURCES;
	}
	return 0;
}

void outlook_clear(struct outlook *outlook)
{
	free(outlook->marks);
	outlook->marks = NULL;
}

/* Somebody of each family whom no rule names: nobody has these addresses. */
static const struct prefix nobodies[] = {
	{ .family = 4, .length = 32 },
	{ .family = 6, .length = 128 },
};

static enum verdict judge(const struct outlook *outlook, __u32 key, const struct prefix *source)
{
	return outlook->image ? evaluate(outlook->image, key, source, outlook->now)
			      : VERDICT_PASS;
}

/* Of somebody: what passes for one family is reachable. */
static enum verdict judge_anybody(const struct outlook *outlook, __u32 key)
{
	enum verdict verdict;

	if (outlook->source)
		return judge(outlook, key, outlook->source);
	verdict = judge(outlook, key, &nobodies[0]);
	return verdict == VERDICT_PASS ? verdict : judge(outlook, key, &nobodies[1]);
}

/* Whether some source that a rule names is let through. */
static bool has_source(const struct outlook *outlook, __u32 key)
{
	if (!(outlook->marks[key] & MARK_SOURCES))
		return false;
	for (size_t i = 0; i < outlook->ruleset->count; i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];

		if (rule->action != VERDICT_PASS || rule->knock ||
		    (rule->term_count && !names_key(rule, key)))
			continue;
		for (size_t s = 0; s < rule->source_count; s++) {
			if (judge(outlook, key, &rule->sources[s]) == VERDICT_PASS)
				return true;
		}
	}
	return false;
}

enum reach port_reach(const struct outlook *outlook, __u32 key)
{
	if (judge_anybody(outlook, key) == VERDICT_PASS)
		return REACH_ALL;
	if (!outlook->source && has_source(outlook, key))
		return REACH_SOURCES;
	return outlook->marks[key] & MARK_DOOR ? REACH_GRANT : REACH_NONE;
}

/* What listens on UDP need not answer, so from outside it may look as if dropped. */
enum port_state port_state(const struct outlook *outlook, __u32 key, bool listens)
{
	bool udp = key >= PORT_KEY_UDP;

	switch (judge_anybody(outlook, key)) {
	case VERDICT_PASS:
		if (!listens)
			return STATE_CLOSED;
		return udp ? STATE_OPEN_OR_FILTERED : STATE_OPEN;
	case VERDICT_REJECT:
		return STATE_CLOSED;
	default:
		return udp ? STATE_OPEN_OR_FILTERED : STATE_FILTERED;
	}
}
